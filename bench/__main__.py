"""``python -m bench [NAME ...]``: run all benchmarks, or those named, and print their tables."""

import importlib
import pkgutil
import sys

import bench

_NOT_BENCHMARKS = ("__main__", "table", "corosync_cpg", "group_client")


def main(names: list[str]) -> int:
    """Run the benchmarks; each module has ``run() -> None``."""
    known = [module.name for module in pkgutil.iter_modules(bench.__path__) if module.name not in _NOT_BENCHMARKS]
    for name in names or known:
        if name not in known:
            print(f"there is no benchmark {name}: {', '.join(known)}", file=sys.stderr)
            return 64
        module = importlib.import_module(f"bench.{name}")
        if names or not getattr(module, "ONLY_BY_NAME", False):
            module.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
