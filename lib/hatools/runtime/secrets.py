"""Secret parameters: values that the CIB only points to and that every node keeps in files. I/O.

In the CIB the value is ``lrm://``. The file is ``lrm/secrets/RESOURCE/PARAMETER`` below the state folder; beside it,
``PARAMETER.sign`` holds the MD5 digest of the value, as ``cibsecret`` writes it.
"""

from collections.abc import Mapping
from hashlib import md5

from hatools.runtime.directories import Directories
from hatools.values.errors import HatoolsError

SECRET_PREFIX = "lrm://"


def with_secrets(
    directories: Directories, resource: str, parameters: Mapping[str, str], *, lenient: bool = False
) -> dict[str, str]:
    """Return the parameters with the values that they only point to.

    Args:
        lenient: leave out what cannot be read (a stop goes on without).

    Raises:
        HatoolsError: a secret is missing or damaged.
    """
    result = dict(parameters)
    for name, value in parameters.items():
        if not value.startswith(SECRET_PREFIX):
            continue
        try:
            result[name] = read_secret(directories, resource, name)
        except HatoolsError:
            if not lenient:
                raise
    return result


def read_secret(directories: Directories, resource: str, parameter: str) -> str:
    """Return a secret from its file, checked against the digest beside it.

    Raises:
        HatoolsError: it is missing or damaged.
    """
    path = directories.lrm / "secrets" / resource / parameter
    try:
        value = path.read_text().rstrip("\n")
        digest = path.with_name(path.name + ".sign").read_text().strip()
    except OSError as error:
        raise HatoolsError(f"secret {parameter} of {resource}: {error.strerror} ({path})") from None
    if digest != md5(value.encode(), usedforsecurity=False).hexdigest():
        raise HatoolsError(f"secret {parameter} of {resource} does not match its digest ({path}.sign)")
    return value
