# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test hosts: Docker containers with systemd and sshd on a network of their own.

They are as much like real servers as containers get.

Called by create.yml and destroy.yml, once per inventory host. Every command is idempotent and mends what it finds (an
engine that does
not run, mounts that a reboot took away, a container of an older definition); it prints one line for each thing that
it changed.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
IMAGE_RECIPE = REPOSITORY / "tests/hosts/build-image.sh"
FAKES = REPOSITORY / "build/fakes"
KEYS = REPOSITORY / "build/hosts"
# By prefix, then by container: a prefix may begin another one.
DISKS = Path("/var/lib/autonomys-test-hosts")
ENGINE_LOG = Path("/var/log/autonomys-test-hosts-dockerd.log")
DISK_BYTES = 64 * 1024 * 1024
LABEL = "autonomys.test-host"
INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
#: Of INOTIFY, what systemd and its services take on one host, and what this machine's own need.
INOTIFY_PER_HOST, INOTIFY_SPARE = 6, 16


class HostsError(Exception):
    """Something that the user has to know; main() prints it."""


def run(*command: str | Path, data: bytes | None = None, check: bool = True) -> subprocess.CompletedProcess:
    """Run a command; a failure is reported with the command and what it wrote."""
    result = subprocess.run([str(part) for part in command], input=data, capture_output=True, check=False)
    if check and result.returncode:
        raise HostsError(
            f"{' '.join(str(part) for part in command)}: "
            f"{(result.stderr + result.stdout).decode(errors='replace').strip()}"
        )
    return result


def docker(*arguments: str | Path, data: bytes | None = None) -> str:
    return run("docker", *arguments, data=data).stdout.decode().strip()


def changed(message: str) -> None:
    print(message, flush=True)


def digest(*parts: bytes | str) -> str:
    result = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        result.update(len(raw).to_bytes(8, "big") + raw)
    return result.hexdigest()[:16]


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One after another in this checkout.

    What all hosts share is made once, also where two sets of hosts are made at the same time.
    """
    KEYS.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(KEYS, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


# --- engine, image, keys, network, mirror
# ---------------------------------------------------------------------------------------------


def engine_answers() -> bool:
    return run("docker", "version", "--format", "{{.Server.Version}}", check=False).returncode == 0


def wait_for_engine(process: subprocess.Popen | None) -> bool:
    for _attempt in range(120):
        if engine_answers():
            return True
        if process is not None and process.poll() is not None:
            return False
        time.sleep(0.25)
    return False


def ensure_engine() -> None:
    """Use the engine that answers; else start one, by the init system where there is one."""
    if shutil.which("docker") is None or (not engine_answers() and shutil.which("dockerd") is None):
        raise HostsError("no Docker engine: install one (Debian: apt-get install docker.io)")
    if engine_answers():
        return
    if os.geteuid() != 0:
        raise HostsError(
            "the Docker engine does not answer and only root can start it: run `sudo dockerd "
            "--iptables=false &` or this command as root"
        )
    if Path("/run/systemd/system").is_dir():
        run("systemctl", "start", "docker")
        if wait_for_engine(None):
            changed("Docker engine started by systemd")
            return
        raise HostsError("the Docker engine does not answer although systemd started it: see `journalctl -u docker`")
    # Without an init system a reboot leaves process numbers behind that may belong to anyone by now.
    if run("pgrep", "-x", "dockerd", check=False).returncode:
        Path("/var/run/docker.pid").unlink(missing_ok=True)
        shutil.rmtree("/var/run/docker", ignore_errors=True)
    # The hosts need no way out of their network; some kernels lack what the default rules or the default bridge need.
    for options in (["--iptables=false"], ["--iptables=false", "--bridge=none"]):
        with ENGINE_LOG.open("wb") as log:
            process = subprocess.Popen(
                ["dockerd", *options], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        if wait_for_engine(process):
            changed(f"Docker engine started (dockerd {' '.join(options)}, log in {ENGINE_LOG})")
            return
    raise HostsError(f"the Docker engine does not start:\n{ENGINE_LOG.read_text(errors='replace')[-2000:]}")


def ensure_inotify(hosts: int) -> None:
    """Let the kernel watch files for so many hosts: the systemd of one that it refuses ends without a word."""
    needed = INOTIFY_PER_HOST * hosts + INOTIFY_SPARE
    allowed = int(INOTIFY.read_text())
    if allowed >= needed:
        return
    try:
        INOTIFY.write_text(f"{2 * needed}\n")
    except OSError as error:
        raise HostsError(
            f"fs.inotify.max_user_instances is {allowed} and {hosts} test hosts need {needed}, without which their "
            f"containers end at once and say nothing; as root: sysctl fs.inotify.max_user_instances={2 * needed}"
        ) from error
    changed(f"fs.inotify.max_user_instances raised from {allowed} to {2 * needed}")


def image_name() -> str:
    """The image is named by what it is made from, so that it is built once."""
    settings = json.dumps(
        {name: value for name, value in os.environ.items() if name.startswith("TEST_IMAGE_")}, sort_keys=True
    )
    return f"autonomys-test-host:{digest(IMAGE_RECIPE.read_bytes(), settings)}"


def ensure_image() -> None:
    name = image_name()
    if docker("images", "--quiet", name):
        return
    if os.geteuid() != 0:
        raise HostsError(
            f"the test hosts' image is missing and only root can build it: sudo {IMAGE_RECIPE} container {name}"
        )
    run(IMAGE_RECIPE, "container", name)
    changed(f"image {name} built")


def ensure_keys() -> None:
    """One key to log in, one host key for all test hosts, and the file of known hosts that goes with it."""
    for name in ("id_ed25519", "ssh_host_ed25519_key"):
        if not (KEYS / name).exists():
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "autonomys test hosts", "-f", KEYS / name)
            changed(f"key {KEYS / name} made")
    known = "* " + (KEYS / "ssh_host_ed25519_key.pub").read_text()
    if not (KEYS / "known_hosts").exists() or (KEYS / "known_hosts").read_text() != known:
        (KEYS / "known_hosts").write_text(known)


def ensure_network(prefix: str, network: str) -> None:
    name, subnet = f"{prefix}network", f"{network}.0/24"
    found = json.loads(run("docker", "network", "inspect", name, check=False).stdout or b"[]")
    if found and found[0]["IPAM"]["Config"][0]["Subnet"] != subnet:
        remove_containers(prefix, containers(prefix))
        docker("network", "rm", name)
        found = []
    if not found:
        docker("network", "create", "--internal", "--subnet", subnet, "--label", LABEL, name)
        changed(f"network {name} ({subnet}) created")


def ensure_mirror(prefix: str, network: str) -> None:
    """The place where downloads come from: what lies in build/fakes/http, at http://<network>.10/."""
    if not (FAKES / "http").is_dir():
        raise HostsError("the fakes are not packed: run .venv/bin/python tests/fakes/pack.py")
    ensure_container(
        f"{prefix}mirror",
        ["--network", f"{prefix}network", "--ip", f"{network}.10", "--volume", f"{FAKES}:/srv:ro"],
        ["python3", "-m", "http.server", "--directory", "/srv/http", "80"],
        {},
    )
    wait_for(f"{network}.10", 80, b"")


# --- containers
# --------------------------------------------------------------------------------------------------


def containers(prefix: str) -> list[str]:
    names = docker("ps", "--all", "--filter", f"label={LABEL}={prefix}", "--format", "{{.Names}}")
    return sorted(names.split())


def remove_containers(prefix: str, names: list[str]) -> None:
    if names:
        docker("rm", "--force", "--volumes", *names)
    for name in names:
        unmount_disks(DISKS / prefix / name)
        changed(f"{name} removed")


def ensure_container(name: str, options: list[str], command: list[str], files: dict[str, tuple[int, bytes]]) -> None:
    """A running container of exactly this definition; one of another definition is replaced, a stopped one started."""
    prefix = options[options.index("--network") + 1][: -len("network")]
    arguments = [
        *options,
        "--label",
        f"{LABEL}={prefix}",
        docker("images", "--quiet", "--no-trunc", image_name()),
        *command,
    ]
    definition = digest(
        json.dumps(arguments),
        *(f"{path} {mode:o} {digest(content)}" for path, (mode, content) in sorted(files.items())),
    )
    found = json.loads(run("docker", "container", "inspect", name, check=False).stdout or b"[]")
    if found and found[0]["Config"]["Labels"].get(f"{LABEL}.definition") != definition:
        docker("rm", "--force", "--volumes", name)
        found = []
    if not found:
        docker("create", "--name", name, "--label", f"{LABEL}.definition={definition}", *arguments)
        if files:
            docker("cp", "-", f"{name}:/", data=archive(files))
        changed(f"{name} created")
    if not found or not found[0]["State"]["Running"]:
        docker("start", name)
        changed(f"{name} started")


def archive(files: dict[str, tuple[int, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, (mode, content) in files.items():
            member = tarfile.TarInfo(path.lstrip("/"))
            member.size, member.mode = len(content), mode
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def host_files(name: str, gpus: int) -> dict[str, tuple[int, bytes]]:
    result = {
        "/root/.ssh/authorized_keys": (0o600, (KEYS / "id_ed25519.pub").read_bytes()),
        "/etc/ssh/ssh_host_ed25519_key": (0o600, (KEYS / "ssh_host_ed25519_key").read_bytes()),
        "/etc/ssh/ssh_host_ed25519_key.pub": (0o644, (KEYS / "ssh_host_ed25519_key.pub").read_bytes()),
    }
    if gpus:
        result["/usr/local/bin/nvidia-smi"] = (0o755, (FAKES / "nvidia-smi").read_bytes())
        result["/etc/autonomys-fakes/gpus.json"] = (
            0o644,
            (json.dumps(fake_gpus(name, gpus), indent=2) + "\n").encode(),
        )
    return result


def fake_gpus(host: str, count: int) -> list[dict]:
    """GPUs that are as near to every CPU of this machine as a container's GPUs can be."""
    cpus = Path("/sys/devices/system/cpu/online").read_text().strip()
    return [
        {
            "index": index,
            "uuid": f"GPU-{uuid.uuid5(uuid.NAMESPACE_DNS, f'gpu-{index}.{host}')}",
            "name": "NVIDIA GeForce RTX 4090",
            "bus_id": f"00000000:{index + 1:02X}:00.0",
            "memory_mib": 24564,
            "driver_version": "550.54.15",
            "cpu_affinity": cpus,
            "numa_affinity": "0",
        }
        for index in range(count)
    ]


def wait_for(address: str, port: int, banner: bytes, seconds: float = 60) -> None:
    """Until the port answers, with the banner where one is expected.

    A listening systemd socket alone is not a host that is up.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with socket.create_connection((address, port), timeout=2) as connection:
                if connection.recv(len(banner)) == banner if banner else True:
                    return
        except OSError:
            pass
        time.sleep(0.2)
    raise HostsError(f"{address} port {port} does not answer after {seconds:.0f} s")


# --- disks
# --------------------------------------------------------------------------------------------------


def ensure_disk(disks: Path, path: str) -> Path:
    """A small real ext4 for one mountpoint, in a sparse file; returns where it is mounted on this machine."""
    image = disks / (path.strip("/").replace("/", "-") + ".img")
    mountpoint = image.with_suffix("")
    if mountpoint.is_mount():
        return mountpoint
    if os.geteuid() != 0:
        raise HostsError(f"only root can mount the disks of {disks.name}")
    mountpoint.mkdir(parents=True, exist_ok=True)
    if not image.exists():
        fresh = image.with_suffix(".new")
        with fresh.open("wb") as file:
            file.truncate(DISK_BYTES)
        run("mkfs.ext4", "-q", "-F", fresh)
        fresh.rename(image)
    run("mount", "-o", "loop", image, mountpoint)
    changed(f"{disks.name}: {path} mounted")
    return mountpoint


def unmount_disks(disks: Path) -> None:
    for mountpoint in disks.glob("*"):
        if mountpoint.is_mount():
            run("umount", mountpoint)
    shutil.rmtree(disks, ignore_errors=True)


# --- commands
# --------------------------------------------------------------------------------------------------


def create_network(options: argparse.Namespace) -> None:
    with alone():
        ensure_engine()
        ensure_image()
        ensure_keys()
    # Hosts of other prefixes take their share of what the kernel allows.
    running = docker("ps", "--filter", f"label={LABEL}", "--format", "{{.Names}}").split()
    ensure_inotify(len({*running, *(f"{options.prefix}{name}" for name in options.hosts)}))
    ensure_network(options.prefix, options.network)
    remove_containers(
        options.prefix,
        [name for name in containers(options.prefix) if name[len(options.prefix) :] not in ("mirror", *options.hosts)],
    )
    ensure_mirror(options.prefix, options.network)


def create_host(options: argparse.Namespace) -> None:
    container = f"{options.prefix}{options.name}"
    arguments = ["--hostname", options.name, "--network", f"{options.prefix}network", "--ip", options.address]
    for capability in ("SYS_ADMIN", "NET_ADMIN", "SYS_NICE", "SYS_PTRACE"):
        arguments += ["--cap-add", capability]
    for option in ("seccomp=unconfined", "apparmor=unconfined"):
        arguments += ["--security-opt", option]
    # systemd needs the control groups of the machine, in the same place with both of their versions.
    # Nobody outside is asked for names; say so soon.
    arguments += ["--dns", "127.0.0.1", "--dns-option", "timeout:1", "--dns-option", "attempts:1"]
    arguments += [
        "--cgroupns",
        "host",
        "--volume",
        "/sys/fs/cgroup:/sys/fs/cgroup:rw",
        "--tmpfs",
        "/run",
        "--tmpfs",
        "/run/lock",
    ]
    arguments += ["--stop-signal", "SIGRTMIN+3"]
    for path in options.mounts:
        arguments += ["--volume", f"{ensure_disk(DISKS / options.prefix / container, path)}:{path}"]
    ensure_container(container, arguments, [], host_files(options.name, options.gpus))
    wait_for(options.address, 22, b"SSH-2.0")


def destroy(options: argparse.Namespace) -> None:
    if shutil.which("docker") is None:
        return
    with alone():
        ensure_engine()
    remove_containers(options.prefix, containers(options.prefix))
    # Also of hosts that an engine no longer knows.
    for disks in (DISKS / options.prefix).glob("*"):
        unmount_disks(disks)
    if run("docker", "network", "inspect", f"{options.prefix}network", check=False).returncode == 0:
        docker("network", "rm", f"{options.prefix}network")
        changed(f"network {options.prefix}network removed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    for name, function in (("create-network", create_network), ("create-host", create_host), ("destroy", destroy)):
        command = commands.add_parser(name)
        command.set_defaults(function=function)
        command.add_argument("--prefix", required=True, help="what the containers' names begin with")
        if function is create_network:
            command.add_argument("--network", required=True, help="first three numbers of the network's addresses")
            command.add_argument("hosts", nargs="*", help="all hosts of this prefix; containers of others are removed")
        if function is create_host:
            command.add_argument("--name", required=True)
            command.add_argument("--address", required=True)
            command.add_argument("--gpus", type=int, default=0, help="number of GPUs that the fake nvidia-smi shows")
            command.add_argument("--mounts", nargs="*", default=[], help="mountpoints with a small disk each")
    options = parser.parse_args()
    try:
        options.function(options)
    except HostsError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
