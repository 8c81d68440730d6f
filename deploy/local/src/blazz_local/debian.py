"""Installing a Debian package as root or through sudo, without starting the system service it brings."""

import os
import shutil
import subprocess
from pathlib import Path

from blazz_local.errors import StartFailed
from blazz_local.logs import last_lines

POLICY = "/usr/sbin/policy-rc.d"

# invoke-rc.d asks policy-rc.d whether it may start a service; 101 means no. Whatever was there comes back, however the
# script ends. Units that the packages brought are switched off too, or the next boot would start what nobody asked for.
_SCRIPT = f"""
set -eu
umask 022
policy={POLICY}
kept=
if [ -e "$policy" ]; then kept="$policy.before-blazz.$$"; mv "$policy" "$kept"; fi
list=$(mktemp)
units() {{
    find /etc/systemd/system -name '*.service' -o -name '*.socket' 2>/dev/null | sed 's|.*/||' | sort -u
}}
restore() {{ if [ -n "$kept" ]; then mv -f "$kept" "$policy"; else rm -f "$policy"; fi; rm -f "$list" "$list.after"; }}
units > "$list"
trap restore EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
printf '#!/bin/sh\\nexit 101\\n' > "$policy"
chmod 755 "$policy"
export DEBIAN_FRONTEND=noninteractive
install() {{
    # Another installation of ours, or the machine's own, may be under way.
    apt-get install --yes --quiet --no-install-recommends -o DPkg::Lock::Timeout=600 "$@"
}}
install "$@" || {{ apt-get update --quiet && install "$@"; }}
units > "$list.after"
if command -v systemctl >/dev/null; then
    comm -13 "$list" "$list.after" | while read -r unit; do systemctl disable "$unit" || true; done
fi
"""


def install(*packages: str, log: Path) -> bool:
    """Install with apt; False when this machine has no apt or this user may not use it.

    Its output goes to the log. Raises `StartFailed` with the end of it when apt fails.
    """
    if shutil.which("apt-get") is None:
        return False
    command = ["sh", "-c", _SCRIPT, "install", *packages]
    if os.geteuid() != 0:
        if shutil.which("sudo") is None:
            return False
        command = ["sudo", *command]  # asks for its password on the terminal itself
    with log.open("ab") as output:
        status = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False).returncode
    if status:
        raise StartFailed(f"apt could not install {' '.join(packages)}; the end of {log}:\n{last_lines(log)}")
    return True
