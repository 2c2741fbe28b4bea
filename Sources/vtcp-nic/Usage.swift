// SPDX-License-Identifier: Apache-2.0

/// What the program says of itself.
enum Usage {
  static let version = "0.1.0"

  /// As QEMU's "Backend program conventions" ask (docs/interop/vhost-user.rst): a network back-end has no optional
  /// features to tell.
  static let capabilities = """
    {
      "type": "net",
      "features": []
    }

    """

  static let help = """
    vtcp-nic: the vhost-user back-end of one virtual NIC.

    usage: vtcp-nic SOCKET --uplink UPLINK [OPTION...]

    SOCKET, one of:
      --socket-path=PATH   listen there; QEMU: -chardev socket,id=c0,path=PATH,reconnect=1
      --connect=PATH       QEMU listens there (server=on,wait=off); try for ever
      --fd=N               an open socket, listening or connected

    UPLINK, where frames go:
      tap:NAME             a TAP interface, created if it does not exist
      packet:IFNAME        an existing interface, by a packet socket
      fd:N                 an open TAP, or a unix socket that carries a virtio header and a frame in each datagram
      null                 nowhere: drop and count

    OPTIONs:
      --queues N           queue pairs offered, 1 to 64 (1)
      --mtu N              the uplink's MTU, and the largest that the guest may be given
      --mac ADDR           the guest's MAC address: frames from any other are dropped
      --poll MODE          look for work before sleeping: adaptive, never or always (adaptive)
      --vtcp MODE          what is done for the guest's TCP connections: off, limit (the guest is ruled by the window that it is
                           shown), snoop (losses are repaired from copies) or early (data are acknowledged as soon as they are
                           held) (off); experimental.
                           Connections are left alone while their path is short and loses nothing and the guest has its
                           processor, unless MODE is limit or ends in ,always
      --policy FILE        which connections are treated how, by rules; --vtcp says what of the others
      --large-send SIZE    how large a TCP packet the guest is told that it may hand over, if it has the module vtcp_lso: a size
                           from 4096 to 524280 bytes or up to 512KiB, rounded down to a multiple of what the uplink takes; cpu,
                           throughput, latency or mix: what is found best for that; off: as without the module, 64 KiB (off)
      --stats-file PATH    write there, on a tmpfs, what the accelerator does, for others to read; PATH is made anew
      --control-socket PATH
                           listen there for an administrator who changes the policy, or --large-send, while we run; for our
                           owner only
      --state-fd N         a memfd that outlives this program, so that its successor goes on where it stopped
      --device-state on|off
                           what the NIC has learnt travels with a guest that migrates (on); off: the guest is to go to a
                           QEMU below 10, or to a back-end that does not offer it
      --user NAME[:GROUP]  change to this user and group once everything is open
      --sandbox MODE       give up privileges and the view of files: auto (as far as the kernel lets us), on (or end), off
      --seccomp ACTION     at a system call that is not foreseen: kill, log or off (kill)
      --log-level LEVEL    error, warning, info or debug (info)
      --name NAME          what the NIC is called in the log
      --print-capabilities, --version, --help
      --stats PATH [--json]  do nothing but print what is in another's --stats-file
      --control-socket PATH --set-policy FILE
                           do nothing but put the policy in force in one that runs
      --control-socket PATH --set-large-send SIZE
                           do nothing but change --large-send of one that runs
      --control-socket PATH --status
                           do nothing but print which policy that is, and what the guest makes of --large-send

    NOTIFY_SOCKET and LISTEN_FDS are those of systemd: who keeps what has to outlive the program, so that its successor goes on
    with the same connection. See docs/keeping.md.

    SIGTERM ends it. SIGUSR1 writes the counters of every queue to standard error. SIGUSR2 ends it with everything kept for the next one.

    """
}
