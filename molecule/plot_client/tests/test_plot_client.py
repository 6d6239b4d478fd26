# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plot client as an operator sees it: connections, farms on their disks, process."""

from __future__ import annotations

SECTOR = 1056896 + 64


def sectors_on_disk(server, path):
    """Number of sectors that plot.bin was allocated for."""
    return server.host.file(f"{path}/plot.bin").size // SECTOR


def test_minimal_client_is_connected_and_holds_its_farm(minimal, until):
    assert until(lambda: f"{minimal.address}:4222" in minimal.connections("autonomys-plot-client"))
    files = minimal.open_files("autonomys-plot-client")
    assert {"/mnt/nvme0n1/plot.bin", "/mnt/nvme0n1/metadata.bin", "/mnt/nvme0n1/single_disk_farm.json"} <= files


def test_minimal_client_fills_its_disk_and_no_more(minimal):
    *command, farm = minimal.command("autonomys-plot-client")
    assert command[1:] == [
        *("cluster", "--nats-server", f"nats://{minimal.address}:4222", "plot-client"),
        *("--reward-address", "st9QrFWVBdfJMgqZ4jVVJM7fHiWmxJNRipL64cxq7ddp9iCn1"),
    ]
    path, sectors = farm.split(",sectors=")
    assert path == "path=/mnt/nvme0n1"
    assert sectors_on_disk(minimal, "/mnt/nvme0n1") == int(sectors)
    # Another sector with its metadata would not fit in what is left, the safe margin included.
    left = minimal.host.file("/mnt/nvme0n1").exists and int(
        minimal.run("stat -f -c %a*%S /mnt/nvme0n1 | python3 -c 'print(eval(input()))'")
    )
    assert left < SECTOR + 131116 + 2 * 1024**2 + 4096


def test_custom_client_has_every_setting(custom, until, version):
    assert until(lambda: f"{custom.address}:14222" in custom.connections("autonomys-plot-client"))
    assert custom.user("autonomys-plot-client") == "operator"
    command = custom.command("autonomys-plot-client")
    assert command[:-2] == [
        *(
            f"/srv/autonomys/releases/{version}/autonomys-farmer",
            "cluster",
            "--nats-server",
            f"nats://{custom.address}:14222",
            "plot-client",
        ),
        *("--reward-address", "5FDNB1mivzr8wDaUsKqp8wBDyuPVMfwTo4cLLQrpqiV3t3iJ", "--farmer-label", "second"),
    ]
    assert command[-2] == "path=/mnt/nvme0n2,sectors=7"
    assert command[-1].startswith("path=/mnt/nvme0n1,sectors=")
    assert custom.environment("autonomys-plot-client")["FARMING_WITH_DIO"] == "1"
    assert custom.definition("autonomys-plot-client")["stopwaitsecs"] == "45"
    assert custom.host.file("/srv/log/autonomys-plot-client.log").size > 0


def test_custom_farms_have_their_sizes_and_margin(custom, minimal):
    assert sectors_on_disk(custom, "/mnt/nvme0n2") == 7
    difference = sectors_on_disk(minimal, "/mnt/nvme0n1") - sectors_on_disk(custom, "/mnt/nvme0n1")
    assert difference in (17, 18), "20 MiB are 17.65 sectors"


def test_absent_farm_is_not_passed(custom):
    assert not any("/mnt/gone" in word for word in custom.command("autonomys-plot-client"))
    assert not custom.host.file("/mnt/gone").exists
