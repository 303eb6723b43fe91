"""Files of Debian packages come into a folder without root: downloaded, checked by apt, unpacked.

Nothing is installed on the machine and apt's own state is left alone; but for `install`, which
root uses for what does not run from a folder.
Standard library only: it runs on a machine where nothing is installed yet.
"""

import shutil
import tempfile
from pathlib import Path

from commands import SetupError, run

# As root, apt downloads as another user, which may not write into our folder.
_AS_ME = ("-o", "APT::Sandbox::User=root")


def unpack(packages: list[str], into: Path, *, with_needs: bool = False) -> None:
    """Unpack the Debian packages named `packages` into the folder `into`, made if need be.

    `with_needs` brings what they depend on too, as far as the machine has not got it. Signatures
    are checked by apt as for any install. Raises SetupError if this is no Debian, or if a package
    cannot be had.
    """
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise SetupError(f"{program} is not on this machine, so it is no Debian or Ubuntu")
    with tempfile.TemporaryDirectory(prefix="antiphon-apt-") as scratch:
        downloads = Path(scratch) / "packages"
        (downloads / "partial").mkdir(parents=True)
        command = _install_in_name_only(downloads) if with_needs else ("download",)
        _download([*command, *packages], packages, Path(scratch))
        into.mkdir(parents=True, exist_ok=True)
        for package in sorted(downloads.glob("*.deb")):
            run(f"unpacking {package.name}", ["dpkg-deb", "-x", package, into])


def install(packages: list[str]) -> None:
    """Install the Debian packages named `packages` on this machine; only root may.

    Raises SetupError if this is no Debian, or if a package cannot be had.
    """
    if shutil.which("apt-get") is None:
        raise SetupError("apt-get is not on this machine, so it is no Debian or Ubuntu")
    what = f"installing the Debian package {' and '.join(packages)}"
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    unasked = {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        run(what, command, env=unasked)
    except SetupError:
        # The lists are absent or old, as on a new machine.
        run("reading Debian's package lists", ["apt-get", "update"], env=unasked)
        run(what, command, env=unasked)


def _install_in_name_only(downloads: Path) -> tuple[str, ...]:
    """Make apt find out what is missing, as for an install, but only download it."""
    options = ("-o", f"Dir::Cache::archives={downloads}", "-o", "Debug::NoLocking=true")
    return (*options, "install", "--download-only", "--yes", "--no-install-recommends")


def _download(command: list[str], packages: list[str], scratch: Path) -> None:
    """Download with the package lists there are; if that fails, with private fresh ones."""
    what = f"downloading the Debian package {' and '.join(packages)}"
    into = scratch / "packages"
    try:
        run(what, ["apt-get", *_AS_ME, *command], cwd=into)
    except SetupError:
        # The lists are absent or old, as on a new machine. Only root may renew the real ones.
        lists = scratch / "lists"
        (lists / "partial").mkdir(parents=True)
        private = (*_AS_ME, "-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={scratch}")
        update = ["apt-get", *private, "-o", "APT::Update::Error-Mode=any", "update"]
        run("reading Debian's package lists", update)
        run(what, ["apt-get", *private, *command], cwd=into)
