"""The CIB that ``crm_simulate`` starts from. I/O."""

from hatools.cib.document import Document
from hatools.cli.ending import Refused
from hatools.values.errors import HatoolsError, SchemaError
from hatools.values.exitcode import ExitCode

__all__ = ["read_source_document"]


def read_source_document(source: str | None, verbosity: int = 0) -> Document:
    """Read the CIB from a file, standard input (``-``), or the cluster (None), upgraded to a current schema.

    Raises:
        Refused: there is none, or it is not valid.
    """
    from hatools.cli.cib_input import current_form, is_valid_cib, read_lenient, read_source
    from hatools.ipc.clients.cib_file import with_status

    if source is None:
        root = _query().root
    else:
        data = read_source(source)
        found = None if data is None else read_lenient(source, data, verbosity)
        if found is None:
            what = "standard input" if source == "-" else source
            raise Refused(ExitCode.SOFTWARE, f"{what} {'cannot be read' if data is None else 'holds no XML'}")
        root = found
    current = current_form(with_status(Document(root)).root)
    if current is None or not is_valid_cib(current):
        raise Refused(ExitCode.CONFIG)
    return Document(current)


def _query() -> Document:
    """Return the CIB of the cluster, or of the file or shadow that stands for it."""
    from hatools.ipc.clients.cib import open_cib
    from hatools.values.exitcode import exit_text

    try:
        with open_cib(name="crm_simulate") as cib:
            return cib.document()
    except HatoolsError as error:
        code = int(ExitCode.CONFIG if isinstance(error, SchemaError) else ExitCode.NOINPUT)
        raise Refused(code, f"CIB query failed: {exit_text(code)}") from None
