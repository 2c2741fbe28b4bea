// SPDX-License-Identifier: Apache-2.0

/// What the program says of itself.
enum ServiceUsage {
  static let version = "0.1.0"

  static let help = """
    vtcpd: keeps a vtcp-nic for each virtual NIC of this host, and gives each its policy. See docs/host-service.md.

    usage: vtcpd [OPTION...]

    OPTIONs, which win over the configuration file:
      --config FILE          the configuration (/etc/vtcp/vtcpd.yaml, if it is there)
      --run-directory DIR    where sockets lie: NAME.sock for QEMU, control.sock (/run/vtcp)
      --state-directory DIR  what outlives a restart of the host: NICs, the history of the policy (/var/lib/vtcp)
      --policy FILE          the policy, or a directory whose *.yaml are it; may be given more than once
      --nic-program FILE     vtcp-nic (that beside vtcpd)
      --log-level LEVEL      error, warning, info or debug (info)
      --check                read the configuration and the policy, tell what is wrong, and end
      --version, --help

    SIGHUP reads the policy anew. SIGTERM ends vtcpd, and the NICs go on; the next vtcpd finds them. SIGINT, or POST
    /v1/shutdown, ends the NICs as well, after they have delivered what they owe.

    """
}
