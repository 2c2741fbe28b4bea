// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import ControlProtocol
import Timekeeping

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Looks whether this host has what NICs need, and says how to mend what is missing.",
    discussion: "Exit status 1 if something is missing that they can't do without.")

  @OptionGroup var places: Places

  func run() throws {
    let findings =
      [kvm, tun, sharedMemory, kernel, namespaces, program, qemu, service, libvirt, hook]
    if places.json {
      try Terminal.lines([JSONValue.array(findings.map(\.json)).text])
    } else {
      try Terminal.lines(DoctorFinding.lines(findings))
    }
    let bad = findings.filter { $0.verdict == .bad }
    guard bad.isEmpty else {
      throw AdministrationError.failed(
        places.json
          ? "" : "\(bad.count) of \(findings.count) things are missing: \(bad.map(\.what).joined(separator: ", "))")
    }
  }

  private var kvm: DoctorFinding {
    switch Host.access("/dev/kvm") {
    case .granted where Host.opens("/dev/kvm"):
      DoctorFinding("kvm", .good, "/dev/kvm can be used: guests run on the processor itself")
    case .granted, .missing:
      DoctorFinding(
        "kvm", .note, "there is no /dev/kvm: guests are emulated (TCG), and slow",
        mend:
          "turn virtualisation on in the firmware, or nested virtualisation at the host, and load kvm_intel or kvm_amd")
    case .refused:
      DoctorFinding(
        "kvm", .note, "/dev/kvm is there, and may not be used by this user", mend: "add the user to the group kvm")
    }
  }

  private var tun: DoctorFinding {
    switch Host.access("/dev/net/tun") {
    case .granted where Host.opens("/dev/net/tun"): DoctorFinding("tun", .good, "/dev/net/tun can be used")
    case .granted, .missing:
      DoctorFinding(
        "tun", .bad, "/dev/net/tun is not there, or nothing is behind it: there are no TAP interfaces",
        mend: "modprobe tun; in a container, have its runtime give it the device")
    case .refused:
      DoctorFinding(
        "tun", .bad, "/dev/net/tun may not be used by this user", mend: "be root, or chmod 0666 /dev/net/tun")
    }
  }

  private var sharedMemory: DoctorFinding {
    let pages = Host.text("/proc/meminfo")?.split(separator: "\n").first { $0.hasPrefix("HugePages_Free:") }
    let free = pages?.split(separator: " ").last ?? "0"
    let huge = free == "0" ? "no huge pages" : "\(free) huge pages free"
    guard Host.access("/dev/shm") == .granted else {
      return DoctorFinding(
        "memory", .bad, "/dev/shm can't be written to: statistics files need a tmpfs",
        mend: "mount -t tmpfs tmpfs /dev/shm")
    }
    return DoctorFinding("memory", .good, "memory can be shared by memfd; /dev/shm can be written to; \(huge)")
  }

  private var kernel: DoctorFinding {
    let release = Host.text("/proc/sys/kernel/osrelease") ?? ""
    let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    guard numbers.count == 2, (numbers[0], numbers[1]) >= (5, 11) else {
      return DoctorFinding(
        "kernel", .bad, "Linux \(release): vtcp-nic needs 5.11 or later (epoll_pwait2)", mend: "install a newer kernel")
    }
    return DoctorFinding("kernel", .good, "Linux \(release)")
  }

  private var namespaces: DoctorFinding {
    if Host.isRoot {
      return DoctorFinding("sandbox", .good, "root may make the namespaces that vtcp-nic locks itself into")
    }
    let limit = Int(Host.text("/proc/sys/user/max_user_namespaces") ?? "") ?? 0
    let isRefused =
      Host.text("/proc/sys/kernel/unprivileged_userns_clone") == "0"
      || Host.text("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1"
    guard limit > 0, !isRefused else {
      return DoctorFinding(
        "sandbox", .note, "this user may make no user namespaces: vtcp-nic locks itself up less tightly",
        mend: "start vtcp-nic as root with --user, or sysctl user.max_user_namespaces=1000")
    }
    return DoctorFinding("sandbox", .good, "this user may make the namespaces that vtcp-nic locks itself into")
  }

  private var program: DoctorFinding {
    let beside = Host.ownFolder.map { "\($0)/vtcp-nic" }
    if let path = Host.program("vtcp-nic") ?? beside.flatMap({ Host.isExecutable($0) ? $0 : nil }) {
      return DoctorFinding("vtcp-nic", .good, path)
    }
    return DoctorFinding(
      "vtcp-nic", .note, "it is neither in PATH nor beside vtcpctl",
      mend: "install it, or say to vtcpd where it is (vtcpd.yaml)")
  }

  private var qemu: DoctorFinding {
    if let path = Host.program("qemu-system-x86_64") ?? Host.program("qemu-system-aarch64") {
      return DoctorFinding("qemu", .good, path)
    }
    return DoctorFinding("qemu", .note, "no qemu-system-* in PATH", mend: "apt install qemu-system-x86")
  }

  private var service: DoctorFinding {
    let path = places.socket
    do throws(AdministrationError) {
      _ = try HostService(path: path, patience: .seconds(5)).ask(.get, ["status"])
      return DoctorFinding("vtcpd", .good, "it answers on \(path)")
    } catch {
      if Host.access(path) == .refused {
        return DoctorFinding(
          "vtcpd", .bad, "\(path) is there, and may not be used by this user",
          mend: "be root, or a member of the socket's group (ls -l \(path))")
      }
      return DoctorFinding(
        "vtcpd", .bad, "it does not answer on \(path)",
        mend: "systemctl start vtcpd; journalctl -u vtcpd says why it has ended; a vtcp-nic without it needs none")
    }
  }

  private var libvirt: DoctorFinding {
    guard let virsh = Host.program("virsh") else {
      return DoctorFinding(
        "libvirt", .note, "virsh is not in PATH; QEMU by hand needs none",
        mend: "apt install libvirt-clients libvirt-daemon-system")
    }
    let sockets = ["/run/libvirt/libvirt-sock", "/run/libvirt/virtqemud-sock"]
    guard sockets.contains(where: { Host.access($0, writing: false) != .missing }) else {
      return DoctorFinding(
        "libvirt", .note, "\(virsh) is there, and no libvirtd runs", mend: "systemctl start libvirtd")
    }
    return DoctorFinding("libvirt", .good, "\(virsh), and its service runs")
  }

  private var hook: DoctorFinding {
    let folder = "/etc/libvirt/hooks"
    let places = ["\(folder)/qemu"] + Host.names(in: "\(folder)/qemu.d").map { "\(folder)/qemu.d/\($0)" }
    let ours = places.filter { path in
      path.contains("vtcp")
        || (try? Terminal.contents(path)).map { String(decoding: $0, as: UTF8.self).contains("vtcp") } ?? false
    }
    if let path = ours.first(where: { Host.isExecutable($0) }) { return DoctorFinding("hook", .good, path) }
    if let path = ours.first {
      return DoctorFinding(
        "hook", .bad, "\(path) is not executable: libvirt passes it over", mend: "chmod 0755 \(path)")
    }
    let isLibvirtThere = Host.program("virsh") != nil
    return DoctorFinding(
      "hook", .note,
      "libvirt has no hook of ours\(isLibvirtThere ? ": a guest whose NIC is not there starts and hangs" : "")",
      mend:
        "mkdir -p \(folder)/qemu.d && ln -s $(command -v vtcp-libvirt-hook) \(folder)/qemu.d/vtcp; then restart libvirtd"
    )
  }
}
