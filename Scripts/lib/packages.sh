# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Debian packages: installs what is missing, and downloads what must not be installed (another QEMU, guest kernels) through an apt
# configuration of our own. The mirror is always the one that the machine's own sources name. Needs common.sh.

export DEBIAN_FRONTEND=noninteractive

# What the test bed runs. QEMU's package also brings the libraries of the newer QEMU that fetch-qemu10 unpacks. make, gcc and binutils also build
# the guest's kernel module.
# dpdk-dev has testpmd. gcc makes the programs of bench that run in guests, without libraries (vtcpbed.image.compiled): Swift's clang would,
# but need not be in PATH, and has no linker of its own.
bed_packages=(
  qemu-system-x86 busybox-static kmod cpio xz-utils iproute2 iperf3 ethtool socat tcpdump dpdk-dev python3 python3-pytest gcc libc6-dev
  make binutils
)

# A libvirtd that is only started in namespaces of its own: test_libvirt.py. xmllint compares metadata with their schema.
libvirt_packages=(libvirt-daemon-system libvirt-daemon-driver-qemu libvirt-clients libxml2-utils)

# A machine with a systemd of its own: test_installed.py.
machine_packages=(systemd systemd-container dbus)

# What looks at segments between the ends: test_flows.py.
judge_packages=(nftables tshark)

# What reads the policy language's schema as editors do: test_policy_schema.py.
schema_packages=(python3-jsonschema python3-yaml)

# What asks vtcp-api; schemathesis itself is in no Debian: test_api.py.
gateway_packages=(curl python3-venv)

# What counts instructions: Scripts/instructions.
count_packages=(valgrind binutils)

# What the programs are built with, beside the Swift toolchain.
build_packages=(libcap-ng-dev libexpat1-dev libvirt-dev libyaml-dev pkg-config)

# What Foundation's networking is linked with, if the Swift runtime is linked statically: vtcp-api.
build_packages+=(libcurl4-openssl-dev libxml2-dev)

# What Scripts/bench runs besides: the peers, and the tools that build them.
bench_packages=(gcc libc6-dev make xz-utils)

missing_packages() {
  local package
  for package; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || printf '%s\n' "$package"
  done
}

# apt_patiently COMMAND...: apt waits for dpkg's lock by itself, but not for that of the package lists.
apt_patiently() {
  local attempt output
  for attempt in $(seq 150); do
    if output=$("$@" -o DPkg::Lock::Timeout=300 2>&1); then
      printf '%s\n' "$output"
      return 0
    fi
    if ! grep -q 'Could not get lock' <<<"$output"; then
      printf '%s\n' "$output"
      return 1
    fi
    ((attempt < 150)) && sleep 2
  done
  die "another apt has held its lock for five minutes."
}

# need_packages PACKAGE...: installs those that are missing. The lists are fetched only if apt cannot do without.
need_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  local install=(apt-get install -y -q --no-install-recommends "${missing[@]}")
  apt_patiently "${install[@]}" && return 0
  # A foreign source that cannot be reached is no reason to stop; a package that cannot be found is.
  apt_patiently apt-get update -q || true
  apt_patiently "${install[@]}" ||
    die "apt could not install ${missing[*]}: is the package mirror of this machine reachable?"
}

# need_build_packages: for those who are not root, the sentence that says what to install.
need_build_packages() {
  pkg-config --exists libcap-ng expat libcurl libvirt libxml-2.0 yaml-0.1 2>/dev/null && return 0
  [[ $EUID -eq 0 ]] || die "a library is missing that the programs are built with: install ${build_packages[*]} and try again."
  need_packages "${build_packages[@]}"
}

# mirror_of_debian CODENAME: the address of the archive that this machine's sources name for the release.
# `--print-uris` reads every format that apt knows, and needs no lists.
mirror_of_debian() {
  local codename=$1 uris mirror best=
  uris=$(apt-get update --print-uris 2>/dev/null | sed -n "s/^'\([^']*\)' .*/\1/p")
  # The archive's own mirror is the one that has the release; if several have a suite of that name, it is the one with its updates.
  while read -r mirror; do
    [[ -n $best ]] || best=$mirror
    ! grep -qF "$mirror/dists/$codename-updates/" <<<"$uris" || { best=$mirror; break; }
  done < <(sed -n "s,/dists/$codename/main/binary-.*,,p" <<<"$uris" | uniq)
  [[ -n $best ]] || return 1
  echo "$best"
}

# sources_of_debian KEYRING CODENAME: source lines for what this machine's sources name of the release, and for its backports.
sources_of_debian() {
  local keyring=$1 codename=$2 mirror suite
  mirror=$(mirror_of_debian "$codename") || return 1
  for suite in "$codename" "$codename-updates" "$codename-backports"; do
    printf 'deb [target=Packages signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$suite"
  done
  while read -r mirror; do
    printf 'deb [target=Packages signed-by=%s] %s %s-security main\n' "$keyring" "$mirror" "$codename"
  done < <(apt-get update --print-uris 2>/dev/null | sed -n "s,^'\([^']*\)/dists/$codename-security/main/binary-.*,\1,p" | uniq)
}

# apt_configuration HOME: the text of a configuration whose sources, lists and cache are in that folder, which it makes.
apt_configuration() {
  mkdir -p "$1/lists/partial" "$1/cache/archives/partial" "$1/parts"
  cat <<CONFIGURATION
Dir::Etc::SourceList "$1/sources.list";
Dir::Etc::SourceParts "$1/parts";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "$1/parts";
Dir::State::Lists "$1/lists";
Dir::Cache "$1/cache";
Acquire::Languages "none";
APT::Sandbox::User "";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
CONFIGURATION
}

# private_apt_ready: makes the private configuration and fetches its lists, at most once in twelve hours.
private_apt_ready() {
  local home=$cache/apt codename keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  private_apt=$home/apt.conf
  # shellcheck disable=SC1091
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  release=$codename
  [[ $codename == bookworm ]] || die "this machine runs \"$codename\", but the test bed is made from the packages of Debian 12 (bookworm)."
  [[ -e $keyring ]] || die "$keyring is missing: install debian-archive-keyring."
  mkdir -p "$home"
  exec {private_lock}>"$home/lock"
  flock "$private_lock"
  apt_configuration "$home" >"$private_apt"
  sources_of_debian "$keyring" "$codename" >"$home/sources.list.new" ||
    die "the apt sources of this machine name no mirror of Debian $codename."
  if [[ ! -e $home/fetched ]] || ! cmp -s "$home/sources.list.new" "$home/sources.list" ||
    [[ -n $(find "$home/fetched" -mmin +720) ]]; then
    mv "$home/sources.list.new" "$home/sources.list"
    apt-get -c "$private_apt" update -q -o APT::Update::Error-Mode=any ||
      die "the package lists could not be fetched: is the package mirror of this machine reachable?"
    touch "$home/fetched"
  fi
  rm -f "$home/sources.list.new"
  exec {private_lock}>&-
}

# newest_version PACKAGE PATTERN: the newest version on the mirror that matches the shell pattern; nothing if there is none.
newest_version() {
  local version best=
  while read -r version; do
    # shellcheck disable=SC2053
    [[ $version == $2 ]] || continue
    if [[ -z $best ]] || dpkg --compare-versions "$version" gt "$best"; then best=$version; fi
  done < <(apt-cache -c "$private_apt" madison "$1" | awk -F ' *[|] *' '{print $2}')
  printf '%s\n' "$best"
}

# download_and_unpack FOLDER PACKAGE[=VERSION]...: the packages' files, without installing them.
download_and_unpack() {
  local folder=$1 debs deb
  shift
  debs=$(mktemp -d "$cache/debs.XXXXXX")
  (cd "$debs" && apt-get -c "$private_apt" download -q "$@") ||
    { rm -rf "$debs"; die "$* could not be downloaded: is the package mirror of this machine reachable?"; }
  mkdir -p "$folder"
  for deb in "$debs"/*.deb; do dpkg -x "$deb" "$folder"; done
  rm -rf "$debs"
}

# fetch_source SUITE PACKAGE FOLDER: the upstream source of another release's package, unpacked into the folder; prints its version.
fetch_source() {
  local suite=$1 package=$2 folder=$3 home=$cache/apt-$1-sources keyring=/usr/share/keyrings/debian-archive-keyring.gpg mirror version
  # shellcheck disable=SC1091
  mirror=$(mirror_of_debian "$(. /etc/os-release && echo "${VERSION_CODENAME:-}")") || die "the apt sources of this machine name no mirror of Debian."
  mkdir -p "$home" "$folder"
  apt_configuration "$home" >"$home/apt.conf"
  printf 'deb-src [target=Sources signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$suite" >"$home/sources.list"
  apt-get -c "$home/apt.conf" update -q -o APT::Update::Error-Mode=any >&2 ||
    die "the list of $suite's sources could not be fetched: is the package mirror of this machine reachable?"
  version=$(apt-cache -c "$home/apt.conf" showsrc --only-source "$package" | sed -n 's/^Version: //p' | sort -V | tail -n 1)
  [[ -n $version ]] || die "the mirror has no source package $package in $suite."
  (cd "$folder" && apt-get -c "$home/apt.conf" source -q --tar-only --download-only "$package=$version" >&2) ||
    die "the source of $package could not be downloaded."
  tar -C "$folder" --strip-components=1 -xf "$folder"/*.orig.tar.*
  echo "$version"
}
