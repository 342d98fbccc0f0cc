"""`make install` and `make uninstall`: put hatools onto a system, and take it off again.

Everything goes below PREFIX: the programs and their own virtual environment into ``lib/hatools``, thin commands into
``sbin``, man pages, completions; units, tmpfiles and sysusers snippets below ``PREFIX/lib`` (``/usr``: where systemd
looks). The list of installed files is kept in ``lib/hatools/MANIFEST``; uninstall removes exactly those. A file that
belongs to another package, or that we did not install, is never overwritten.
"""

import argparse
import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Layout:
    """Where things go; ``destdir`` is put before every path while staging a package."""

    prefix: Path
    destdir: Path

    def staged(self, path: Path) -> Path:
        """Return where a path is written now."""
        return self.destdir / path.relative_to("/")

    @property
    def home(self) -> Path:
        return self.prefix / "lib" / "hatools"

    @property
    def manifest(self) -> Path:
        return self.home / "MANIFEST"

    def files(self) -> dict[Path, tuple[str, int]]:
        """Return every file outside our own folder: target, content and mode."""
        environment = self.home / "venv"
        packages = environment / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
        found: dict[Path, tuple[str, int]] = {}
        for command in sorted((SOURCE / "bin").iterdir()):
            if command.is_file():
                module = command.name.replace("-", "_")
                text = (
                    f'#!{environment}/bin/python3 -IS\n"""{command.name}, a command of hatools."""\n'
                    f'import sys\n\nsys.path.append("{packages}")\n'
                    f'from hatools.cli.entry import run\n\nrun("{module}")\n'
                )
                found[self.prefix / "sbin" / command.name] = (text, 0o755)
        for page in sorted((SOURCE / "man").glob("*.[1-8]")):
            target = self.prefix / "share" / "man" / f"man{page.suffix[1:]}" / page.name
            found[target] = (page.read_text(encoding="utf-8"), 0o644)
        for kind, folder in (("bash", "bash-completion/completions"), ("zsh", "zsh/site-functions")):
            for completion in sorted((SOURCE / "share" / "completions" / kind).glob("*")):
                found[self.prefix / "share" / folder / completion.name] = (completion.read_text(), 0o644)
        for snippet, folder in (
            ("hatools.service", "systemd/system"),
            ("hatools-channel.service", "systemd/system"),
            ("hatools.tmpfiles", "tmpfiles.d"),
            ("hatools.sysusers", "sysusers.d"),
        ):
            text = (SOURCE / "packaging" / snippet).read_text().replace("@SBINDIR@", str(self.prefix / "sbin"))
            name = snippet if snippet.endswith(".service") else "hatools.conf"
            found[self.prefix / "lib" / folder / name] = (text, 0o644)
        return found


def owner_package(path: Path) -> str | None:
    """Return the Debian or RPM package a file belongs to, None if to none or if there is no package manager."""
    for command in (["dpkg-query", "-S", str(path)], ["rpm", "-qf", str(path)]):
        if shutil.which(command[0]) is None:
            continue
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            return answer.stdout.split(":")[0].strip() if command[0] == "dpkg-query" else answer.stdout.strip()
    return None


def conflicts(layout: Layout, ours: frozenset[Path]) -> list[str]:
    """Return what stands in the way, a line each."""
    found = []
    for path in layout.files():
        target = layout.staged(path)
        if target.exists() and path not in ours:
            package = owner_package(target)
            found.append(f"{target} belongs to {'the package ' + package if package else 'somebody else'}")
    return found


def read_manifest(layout: Layout) -> frozenset[Path]:
    """Return the files an earlier installation put there."""
    manifest = layout.staged(layout.manifest)
    return frozenset(Path(line) for line in manifest.read_text().splitlines()) if manifest.exists() else frozenset()


def install(layout: Layout) -> int:
    """Install, or install again over an earlier installation."""
    ours = read_manifest(layout)
    obstacles = conflicts(layout, ours)
    if obstacles:
        print("hatools: nothing was installed, because these files exist already:", file=sys.stderr)
        print("\n".join(f"  {line}" for line in obstacles), file=sys.stderr)
        print("Remove those packages, or choose another PREFIX.", file=sys.stderr)
        return 1
    files = layout.files()
    home = layout.staged(layout.home)
    home.mkdir(parents=True, exist_ok=True)
    environment = home / "venv"
    venv.EnvBuilder(with_pip=True, clear=True, symlinks=True).create(environment)
    pip = [str(environment / "bin" / "python3"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, str(SOURCE)], check=True)
    for path, (text, mode) in files.items():
        target = layout.staged(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(target.name + ".hatools-new")
        temporary.write_text(text, encoding="utf-8")
        temporary.chmod(mode)
        temporary.replace(target)
    for stale in sorted(ours - set(files)):
        layout.staged(stale).unlink(missing_ok=True)
    layout.staged(layout.manifest).write_text("".join(f"{path}\n" for path in sorted(files)))
    if layout.destdir == Path("/"):
        prepare_system(layout)
    print(f"hatools is installed below {layout.staged(layout.prefix)}: {len(files)} files and {home}")
    return 0


def prepare_system(layout: Layout) -> None:
    """Make the cluster's user, group and folders, with systemd's tools where they are there."""
    if os.geteuid() != 0:
        return
    if shutil.which("systemd-sysusers"):
        subprocess.run(["systemd-sysusers", str(layout.prefix / "lib/sysusers.d/hatools.conf")], check=False)
    elif subprocess.run(["getent", "group", "haclient"], capture_output=True, check=False).returncode != 0:
        subprocess.run(["groupadd", "--system", "haclient"], check=False)
        subprocess.run(
            ["useradd", "--system", "--gid", "haclient", "--home-dir", "/var/lib/pacemaker", "hacluster"], check=False
        )
    if shutil.which("systemd-tmpfiles"):
        subprocess.run(
            ["systemd-tmpfiles", "--create", str(layout.prefix / "lib/tmpfiles.d/hatools.conf")], check=False
        )


def uninstall(layout: Layout) -> int:
    """Remove what was installed; configuration and cluster data stay."""
    files = read_manifest(layout)
    if not files:
        print(f"hatools is not installed below {layout.staged(layout.prefix)}", file=sys.stderr)
        return 1
    for path in sorted(files):
        layout.staged(path).unlink(missing_ok=True)
    shutil.rmtree(layout.staged(layout.home))
    print(f"hatools is removed; /etc and /var/lib/pacemaker stay as they are ({len(files)} files removed)")
    return 0


def main() -> int:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("install", "uninstall"))
    parser.add_argument("--prefix", default="/usr/local")
    parser.add_argument("--destdir", default="")
    words = parser.parse_args()
    prefix = Path(words.prefix)
    if not prefix.is_absolute():
        parser.error("PREFIX must be an absolute path")
    layout = Layout(prefix, Path(words.destdir or "/").absolute())
    return install(layout) if words.action == "install" else uninstall(layout)


if __name__ == "__main__":
    sys.exit(main())
