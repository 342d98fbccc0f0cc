"""lxml without what it imports for nothing."""

import subprocess
import sys
from pathlib import Path

LIB = Path(__file__).resolve().parents[3] / "lib"
PROBE = """
import sys
sys.path.insert(0, sys.argv[1])
from hatools.cib.libxml2 import etree
print("inspect" in sys.modules)

class Target:
    def start(self, tag, attributes):
        print(tag, attributes)
    def close(self):
        return "closed"

print(etree.fromstring("<a b='c'/>", etree.XMLParser(target=Target())))
import inspect
print(inspect.getfullargspec(Target.start).args)
"""


def test_lxml_is_whole_though_inspect_is_imported_only_when_it_is_needed() -> None:
    done = subprocess.run([sys.executable, "-I", "-c", PROBE, str(LIB)], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == ["False", "a {'b': 'c'}", "closed", "['self', 'tag', 'attributes']"]
