"""Files of Debian packages come into a folder without root: downloaded, checked by apt, unpacked.

Nothing is installed on the machine and apt's own state is left alone.
Standard library only: it runs on a machine where nothing is installed yet.
"""

import shutil
import tempfile
from pathlib import Path

from commands import SetupError, run

# As root, apt downloads as another user, which may not write into our folder.
_AS_ME = ("-o", "APT::Sandbox::User=root")


def unpack(packages: list[str], into: Path) -> None:
    """Unpack the Debian packages named `packages` into the folder `into`, made if need be.

    Signatures are checked by apt as for any install. Raises SetupError if this is no Debian, or
    if a package cannot be had.
    """
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise SetupError(f"{program} is not on this machine, so it is no Debian or Ubuntu")
    with tempfile.TemporaryDirectory(prefix="antiphon-apt-") as scratch:
        downloads = Path(scratch) / "packages"
        downloads.mkdir()
        _download(packages, downloads, Path(scratch))
        into.mkdir(parents=True, exist_ok=True)
        for package in sorted(downloads.glob("*.deb")):
            run(f"unpacking {package.name}", ["dpkg-deb", "-x", package, into])


def _download(packages: list[str], into: Path, scratch: Path) -> None:
    """Download with the package lists there are; if that fails, with private fresh ones."""
    what = f"downloading the Debian package {' and '.join(packages)}"
    try:
        run(what, ["apt-get", *_AS_ME, "download", *packages], cwd=into)
    except SetupError:
        # The lists are absent or old, as on a new machine. Only root may renew the real ones.
        lists = scratch / "lists"
        (lists / "partial").mkdir(parents=True)
        private = (*_AS_ME, "-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={scratch}")
        update = ["apt-get", *private, "-o", "APT::Update::Error-Mode=any", "update"]
        run("reading Debian's package lists", update)
        run(what, ["apt-get", *private, "download", *packages], cwd=into)
