#!/usr/bin/env bash
# What this checkout needs on a Debian 12 or 13: packages of the system, .venv, the built shell.
# Every step is skipped when its inputs have not changed since it last succeeded: a second run takes a second.
# Nothing is installed into the system's Python, and no service of a package is started.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD venv=$PWD/.venv stamps=$PWD/.venv/.stamps shell=$PWD/web/react-shell
policy=/usr/sbin/policy-rc.d
members=(packages/polysession packages/chassis packages/operations services/django-users services/flask-orders)
log=$(mktemp -t polysession-install.XXXXXX)

exec 9<"$root/local/install.sh"
flock 9 # two at once would undo each other

good='✓' bad='✗' dim='' green='' red='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  dim=$'\e[2m' green=$'\e[32m' red=$'\e[31;1m' plain=$'\e[0m'
fi

# fail WHAT TODO: the end of the log is the evidence.
fail() {
  printf '\n  %s%s%s %s\n' "$red" "$bad" "$plain" "$1"
  if [ -s "$log" ]; then tail -n 15 "$log" | sed "s/^/      $dim/; s/\$/$plain/"; fi
  printf '    %s\n' "$2"
  if [ -s "$log" ]; then printf '    The whole output is in %s\n' "$log"; fi
  printf '\n'
  exit 1
}

# step TITLE TODO COMMAND…: shows what goes on, and how long it took.
step() {
  local title=$1 todo=$2 start=$SECONDS
  shift 2
  if [ -t 1 ]; then printf '  … %s' "$title"; fi
  "$@" >>"$log" 2>&1 || { if [ -t 1 ]; then printf '\r\e[K'; fi; fail "$title failed." "$todo"; }
  if [ -t 1 ]; then printf '\r\e[K'; fi
  printf '  %s%s%s %-44s %s%4s s%s\n' "$green" "$good" "$plain" "$title" "$dim" "$((SECONDS - start))" "$plain"
}

# digest FILE-OR-FOLDER…: of names and contents.
digest() { find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1; }
is_fresh() { [ -f "$stamps/$1" ] && [ "$(cat "$stamps/$1")" = "$2" ]; }
stamp() { mkdir -p "$stamps" && printf '%s' "$2" >"$stamps/$1"; }

# --- Debian packages

missing_packages() {
  have redis-server || echo redis-server
  compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || echo postgresql
  have prometheus || echo prometheus
  have chromium || echo chromium
  have fc-list && fc-list | grep -qi dejavu || echo fonts-dejavu-core
  suitable_python >/dev/null || echo python3
  "$(suitable_python || echo false)" -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
}

have() { PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin" command -v "$1" >/dev/null; }

suitable_python() {
  local candidate
  for candidate in python3 python3.13 python3.12 python3.11; do
    if have "$candidate" && "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -- "$@"; fi; }

# While it is there, no package may start its service: ports 5432, 6379 and 9090 are not ours to take.
forbid_services() {
  if [ -e "$policy" ]; then as_root mv "$policy" "$policy.before-polysession"; fi
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
}

allow_services() {
  as_root rm -f "$policy"
  if [ -e "$policy.before-polysession" ]; then as_root mv "$policy.before-polysession" "$policy"; fi
}

install_packages() {
  local options=(-y -q --no-install-recommends -o DPkg::Lock::Timeout=120)
  local code=0
  trap allow_services EXIT
  forbid_services || return
  as_root apt-get update -q || true # one mirror of several may be away
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install "${options[@]}" "$@" || code=$?
  allow_services
  trap - EXIT
  return "$code"
}

mapfile -t missing < <(missing_packages)
if [ "${#missing[@]}" -gt 0 ]; then
  command="apt install --no-install-recommends ${missing[*]}"
  have apt-get || fail "Missing: ${missing[*]}." "This is no Debian: install them (names as in Debian 12), then try again."
  if [ "$(id -u)" != 0 ]; then
    have sudo || fail "Missing: ${missing[*]}." "As root: $command"
    sudo -v || fail "Missing: ${missing[*]}." "As root: $command"
  fi
  step "Debian packages: ${missing[*]}" "Mend what apt says, or run \`$command\` yourself." install_packages "${missing[@]}"
  mapfile -t missing < <(missing_packages)
  if [ "${#missing[@]}" -gt 0 ]; then fail "Still missing: ${missing[*]}." "Python must be 3.11, 3.12 or 3.13."; fi
fi

# --- Python: .venv, from the hashed requirements, then our own packages as they are in the checkout

make_venv() { "$(suitable_python)" -m venv --clear "$venv"; }

install_requirements() {
  "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --require-hashes -r requirements-dev.txt
}

install_members() {
  local editable=()
  for member in "${members[@]}"; do editable+=(-e "$root/$member"); done
  "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --no-deps --no-build-isolation "${editable[@]}"
}

# A venv names its own path in its scripts, and dies with the Python that it was made from.
if ! "$venv/bin/python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null ||
  ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
  step "Python environment .venv" "Delete .venv, then try again." make_venv
fi
version=$("$venv/bin/python" -c 'import sys; print(sys.prefix, sys.version)')
wanted="$(digest requirements-dev.txt) $version"
if ! is_fresh requirements "$wanted"; then
  step "Python packages, checked by hash" "Is the package registry reachable? Else delete .venv, then try again." install_requirements
  stamp requirements "$wanted"
fi
wanted="$(digest "${members[@]/%//pyproject.toml}") $version"
if ! is_fresh members "$wanted"; then
  step "our own packages, editable" "Delete .venv, then try again." install_members
  stamp members "$wanted"
fi

# --- the shell, with the Node of .venv: Debian's is too old

export PATH="$venv/bin:$PATH"
install_node_modules() { (cd "$shell" && npm ci --no-audit --no-fund); }
build_shell() { (cd "$shell" && npm run build); }

wanted=$(digest "$shell/package.json" "$shell/package-lock.json" "$shell/.npmrc")
if [ ! -d "$shell/node_modules" ] || ! is_fresh node-modules "$wanted"; then
  step "packages of the shell" "Is the package registry reachable? Else delete web/react-shell/node_modules, then try again." install_node_modules
  stamp node-modules "$wanted"
fi
wanted="$wanted $(digest "$shell"/{src,public,scripts,index.html,vite.config.ts,tsconfig.json})"
if [ ! -f "$shell/dist/index.html" ] || ! is_fresh shell "$wanted"; then
  step "the shell, built" "\`cd web/react-shell && ../../.venv/bin/npm run build\` shows it again." build_shell
  stamp shell "$wanted"
fi
rm -f "$log"
