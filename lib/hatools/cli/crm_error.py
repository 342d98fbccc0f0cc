"""``crm_error``: the name and meaning of a numeric code. I/O."""

from collections.abc import Callable

from hatools.cli.options import Finished, Option, Program, begin
from hatools.cli.output import Output, XmlOutput
from hatools.values.exitcode import ExitCode, exit_text
from hatools.values.returncode import describe_legacy_code, describe_return_code, legacy_codes, return_codes

PROGRAM = Program(
    "crm_error",
    "crm_error - display name or description of a Pacemaker error code",
    options=(
        Option(
            "name",
            "n",
            "Show error's name with its description (useful for looking for sources of the error in source code)",
        ),
        Option("list", "l", "Show all known errors (enabled by default if no rc is specified)"),
        Option("exit", "X", "Interpret as exit code rather than legacy function return value"),
        Option("rc", "r", "Interpret as return code rather than legacy function return value"),
    ),
    parameters="[-- <rc> [<rc>...]]",
    epilogue="Report bugs to users@clusterlabs.org\n",
)

_INT_MIN, _INT_MAX = -(2**31), 2**31 - 1

Describe = Callable[[int], tuple[str, str]]


def main(argv: list[str]) -> int:
    """Explain the codes given, or list all known."""
    try:
        line, out = begin(PROGRAM, argv)
    except Finished as finished:
        return finished.code
    describe, known = _family(line.has("exit"), line.has("rc"))
    with_name = line.has("name")
    if line.has("list") or not line.rest:
        for code in known():
            _show(out, code, describe(code), with_name, as_table=True)
    else:
        for word in line.rest:
            if word != "--":
                code = _code(word)
                _show(out, code, describe(code), with_name, as_table=line.verbosity > 0)
    return out.finish(ExitCode.OK)


def _family(is_exit: bool, is_return: bool) -> tuple[Describe, Callable[[], list[int]]]:
    if is_exit:
        return _describe_exit, lambda: [int(code) for code in ExitCode]
    if is_return:
        return describe_return_code, return_codes
    return describe_legacy_code, legacy_codes


def _describe_exit(code: int) -> tuple[str, str]:
    try:
        return f"CRM_EX_{ExitCode(code).name}", exit_text(code)
    except ValueError:
        return "CRM_EX_UNKNOWN", exit_text(code)


def _code(word: str) -> int:
    """Read a leading integer; a word without one is the smallest number, as a code that nobody uses."""
    text = word.strip()
    sign = text[:1] if text[:1] in ("+", "-") else ""
    digits = ""
    for letter in text[len(sign) :]:
        if not "0" <= letter <= "9":
            break
        digits += letter
    return max(_INT_MIN, min(_INT_MAX, int(sign + digits))) if digits else _INT_MIN


def _show(out: Output, code: int, described: tuple[str, str], with_name: bool, *, as_table: bool) -> None:
    name, text = described
    if isinstance(out, XmlOutput):
        attributes = {"code": str(code), **({"name": name} if with_name else {}), "description": text}
        out.element("result-code", attributes)
    elif as_table:
        out.info(f"{code:5}: {name:<26}  {text}" if with_name else f"{code:5}: {text}")
    else:
        out.info(f"{name} - {text}" if with_name else text)
