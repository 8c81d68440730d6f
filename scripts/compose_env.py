"""Prints a fresh `deploy/.env` for `deploy/compose.yaml`: `python3 scripts/compose_env.py > deploy/.env`.

Standard library only, so that it runs before anything is installed.
"""

import base64
import re
import secrets
import sys
from pathlib import Path

COMPOSE = Path(__file__).resolve().parents[1] / "deploy" / "compose.yaml"


def main() -> None:
    """A value for every variable that the compose file requires (`${NAME:?…}`)."""
    names = sorted(set(re.findall(r"\$\{([A-Z0-9_]+):\?", COMPOSE.read_text("utf-8"))))
    for name in names:
        # Fernet, which seals, takes exactly 32 bytes in URL-safe base64; everything else takes any text.
        fernet = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        sys.stdout.write(f"{name}={fernet if name == 'BLAZZ_SEAL_KEY' else secrets.token_hex(24)}\n")


if __name__ == "__main__":
    main()
