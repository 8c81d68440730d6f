#!/bin/sh
# Gets uv and, with it, everything Python needs into .venv. Run by make; needs Python 3.11 and a network, nothing else.
# uv: the one on PATH when it is recent enough, else a private one in .blazz/tools.
set -eu
cd "$(dirname "$0")/.."

UV_MINIMUM="0.9"
PYTHON="${PYTHON:-python3}"

say() { printf '%-16s | %s\n' setup "$*"; }
fail() { say "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null 2>&1; then sudo "$@"
    else return 1
    fi
}

command -v "$PYTHON" >/dev/null 2>&1 || fail "No $PYTHON: install it with: sudo apt-get install python3 (3.11 or later)"
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
    || fail "$PYTHON is $("$PYTHON" --version 2>&1); Blazz needs 3.11 or later. Another one: make PYTHON=python3.12"

recent() {
    "$PYTHON" - "$("$1" --version 2>/dev/null)" "$UV_MINIMUM" <<'EOF'
import re, sys
have, need = ([int(n) for n in re.findall(r"\d+", text)[:2]] for text in sys.argv[1:])
sys.exit(have < need)
EOF
}

make_tools() {
    rm -rf .blazz/tools
    "$PYTHON" -m venv .blazz/tools >/dev/null 2>&1
}

apt_install() { as_root apt-get install --yes --quiet --no-install-recommends "$@"; }

install_venv() {
    command -v apt-get >/dev/null 2>&1 || return 1
    package="python$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    say "installing $package with apt ..."
    export DEBIAN_FRONTEND=noninteractive
    mkdir -p .blazz/logs
    { apt_install "$package" || { as_root apt-get update --quiet && apt_install "$package"; } } >> .blazz/logs/apt.log 2>&1 \
        || { tail -n 20 .blazz/logs/apt.log; return 1; }
}

find_uv() {
    if command -v uv >/dev/null 2>&1 && recent uv; then command -v uv; return; fi
    if [ -x .blazz/tools/bin/uv ] && recent .blazz/tools/bin/uv; then echo .blazz/tools/bin/uv; return; fi
    say "getting uv ..." >&2
    mkdir -p .blazz
    make_tools || { install_venv >&2 && make_tools; } \
        || fail "Python cannot make virtual environments here: sudo apt-get install python3-venv, or put uv on PATH"
    .blazz/tools/bin/pip install --quiet --disable-pip-version-check "uv>=$UV_MINIMUM" >&2 \
        || fail "uv could not be installed from the package index: is there a network? (pip's own message is above)"
    echo .blazz/tools/bin/uv
}

UV="$(find_uv)"
say "installing the locked dependencies into .venv ..."
# The interpreter that make found, never a downloaded one, and never another than that of a .venv that is there and in
# use; the machine's certificates, so that a company's proxy works.
[ -x .venv/bin/python ] || export UV_PYTHON="$(command -v "$PYTHON")"
# Compiled once here instead of by a dozen processes that start side by side (or by each of them at every start, where
# PYTHONDONTWRITEBYTECODE is set): halves the CPU time of every start.
export UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-1}" UV_COMPILE_BYTECODE=1
"$UV" sync --frozen --quiet \
    || fail "uv sync failed (its message is above)"
touch .venv/.synced
say "done"
