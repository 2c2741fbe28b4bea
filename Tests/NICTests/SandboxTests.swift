// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

extension NICTests {
  /// What the running program may do and see: asked of /proc, and tried from inside, by making the program do it.
  @Suite(.enabled(if: NICProcess.isConfined, "VTCP_NIC_OPTIONS says --sandbox=off")) struct SandboxTests {
    private func path() -> String {
      NSTemporaryDirectory() + "/sandbox-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"
    }

    private static let isRoot = geteuid() == 0

    /// Runs `body` with a program that listens, confined.
    private func confined(
      _ options: [String] = [], launcher: [String] = [], refusedCalls: [Int32] = [], _ body: (NICProcess) throws -> Void
    ) throws {
      let nic = try NICProcess(
        ["--socket-path=\(path())", "--uplink", "null"] + options, launcher: launcher, refusedCalls: refusedCalls)
      defer { nic.kill() }
      try #require(nic.errors.waitForLine(containing: "confined: "), "\(nic.errors.text)")
      // Confined it sleeps; before, a call could be injected into what still has its rights.
      try body(nic)
    }

    private static let users: [[String]] = isRoot ? [[], ["--user", "nobody"], ["--user", "65534:1"]] : [[]]

    @Test("It has no capability in any set, no way to new ones, a filter, and one thread", arguments: users)
    func status(user: [String]) throws {
      try confined(user) { nic in
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
          #expect(try nic.status(set) == ["0000000000000000"], "\(set)")
        }
        #expect(try nic.status("NoNewPrivs") == ["1"])
        #expect(try nic.status("Seccomp") == ["2"])
        #expect(try nic.status("Threads") == ["1"])
        try nic.end()
      }
    }

    @Test("--user changes every user and group number and leaves no supplementary group", .enabled(if: isRoot))
    func identity() throws {
      try confined(["--user", "nobody:daemon"]) { nic in
        #expect(try nic.status("Uid") == Array(repeating: "65534", count: 4))
        #expect(try nic.status("Gid") == Array(repeating: "1", count: 4))
        #expect(try nic.status("Groups").isEmpty)
        // The folder of the tests is root's: the socket's name stays, and that is said.
        try nic.end()
      }
    }

    @Test("Its root is one empty file system that can't be written to", arguments: users)
    func emptyRoot(user: [String]) throws {
      try confined(user) { nic in
        #expect(try nic.rootEntries().isEmpty)
        let mounts = try nic.mounts()
        #expect(mounts.count == 1 && mounts[0].contains(" / / ro,nosuid,nodev,noexec"), "\(mounts)")
        try nic.end()
      }
    }

    @Test("It holds no descriptor but those it uses, whatever it inherited")
    func descriptors() throws {
      let stray = try Descriptor.pipe()
      let path = path()
      let nic = try NICProcess(
        ["--socket-path=\(path)", "--uplink", "null"], inheriting: [stray.0, stray.1])
      defer { nic.kill() }
      try #require(nic.errors.waitForLine(containing: "confined: "))
      let targets = try nic.descriptorTargets().map { $0.split(separator: ":")[0] == "socket" ? "socket" : $0 }
      // The state memory stays open for a manager that comes later.
      let known = [
        "/dev/null", "/memfd:vtcp-nic (deleted)", "anon_inode:[eventpoll]", "anon_inode:[signalfd]",
        "anon_inode:[timerfd]", "socket",
      ]
      // The two pipes are its output and its log.
      #expect(targets.filter { !$0.hasPrefix("pipe:") }.sorted() == known)
      #expect(targets.count { $0.hasPrefix("pipe:") } == 2)
      try nic.end()
    }

    #if arch(x86_64)
      @Test("A system call that it has no use for ends it at once, with SIGSYS", arguments: SystemCall.forbidden)
      func killed(attempt: SystemCall) throws {
        try confined { nic in
          let fate = try nic.inject(
            attempt.number, attempt.arguments, text: attempt.text, textArgument: attempt.textArgument)
          #expect(fate == .killed(SIGSYS))
          #expect(nic.wait() == .signalled(SIGSYS))
        }
      }

      @Test("A system call that it uses can be done, and it goes on")
      func allowed() throws {
        try confined { nic in
          #expect(try nic.inject(39) == .returned(Int64(nic.identifier)))
          #expect(try nic.inject(72, [0, 3]) != .killed(SIGSYS))
          try nic.end()
        }
      }

      @Test("Of all system calls that there are, at most 40 do not end it")
      func sweep() throws {
        // Descriptor -1, address -1, length -1: what is allowed fails, or ends it in its own way.
        let arguments = [Int64](repeating: -1, count: 6)
        var allowed: [Int64] = []
        var next: Int64 = 0
        while next < 480 {
          try confined { nic in
            while next < 480, nic.isRunning {
              let fate: NICProcess.Fate
              do {
                fate = try nic.inject(next, arguments)
              } catch {
                // The call before may have ended it, but a moment later than was looked.
                guard nic.wait() != nil else { throw error }
                break
              }
              if fate != .killed(SIGSYS) { allowed.append(next) }
              next += 1
            }
          }
        }
        #expect((20...40).contains(allowed.count), "\(allowed)")
      }

      static let refusals: [(SystemCall, Int64)] = [
        (SystemCall("a file", 257, [-100, 0, 0], text: "/etc/passwd", at: 1), -2),
        (
          SystemCall("a file above the socket", 257, [-100, 0, 0], text: "../../../../../../../../etc/passwd", at: 1),
          -2
        ),
        (SystemCall("the process's own files", 257, [-100, 0, 0], text: "/proc/self/status", at: 1), -2),
        (SystemCall("a new directory", 83, [0, 0o777], text: "/new", at: 0), -30),
        (SystemCall("a mount", 165, [0, 0, 0, 0x1000], text: "/", at: 1), -1),
        (SystemCall("another root", 161, text: "/"), -1),
        (SystemCall("user 0 by setuid", 105), isRoot ? -1 : -22),
        (SystemCall("a packet socket", 41, [17, 3]), -1),
        (SystemCall("a name for the host", 170, [0, 1], text: "x"), -1),
      ]

      @Test("Without the filter too, files are out of sight and privileges gone", arguments: refusals)
      func unseen(attempt: SystemCall, error: Int64) throws {
        try confined(["--seccomp=off"] + (Self.isRoot ? ["--user", "nobody"] : [])) { nic in
          let fate = try nic.inject(
            attempt.number, attempt.arguments, text: attempt.text, textArgument: attempt.textArgument)
          #expect(fate == .returned(error))
          try nic.end()
        }
      }

      private static let unshare: Int32 = 272
      private static let landlock: Int32 = 444
      private static let seccomp: Int32 = 317

      @Test("Where namespaces are refused, Landlock denies files")
      func deniedByLandlock() throws {
        try confined(["--seccomp=off", "--sandbox=on"], refusedCalls: [Self.unshare]) { nic in
          #expect(nic.errors.text.contains("denied by Landlock"))
          #expect(try nic.inject(257, [-100, 0, 0], text: "/etc/passwd", textArgument: 1) == .returned(-13))
          #expect(try nic.inject(83, [0, 0o777], text: "/tmp/vtcp-new", textArgument: 0) == .returned(-13))
          try nic.end()
          // Its own socket it may remove.
          #expect(!nic.errors.text.contains("stays"))
        }
      }

      static let shortfalls: [([Int32], String)] = [
        ([unshare, landlock], "files stay in view"), ([seccomp], "system calls are not filtered"),
      ]

      @Test("What can't be had is said in one warning, and with --sandbox=on ends it", arguments: shortfalls)
      func shortfall(refused: [Int32], warning: String) throws {
        try confined(refusedCalls: refused) { nic in
          #expect(nic.errors.lines.count { $0.contains("warning: ") && $0.contains(warning) } == 1)
          for set in ["CapPrm", "CapEff"] { #expect(try nic.status(set) == ["0000000000000000"]) }
          try nic.end()
        }
        let nic = try NICProcess(
          ["--socket-path=\(path())", "--uplink", "null", "--sandbox=on"], refusedCalls: refused)
        defer { nic.kill() }
        #expect(nic.wait() == .exited(1))
        #expect(try nic.errors.allLines().count { $0.contains("error: --sandbox=on") } == 1)
      }
    #endif

    @Test("At most 40 system calls are left, in any role")
    func count() throws {
      let (ours, theirs) = try Descriptor.socketPair(Int32(SOCK_STREAM.rawValue))
      let path = path()
      for (role, inherited) in [
        ("--socket-path=\(path)", []), ("--connect=\(path)", []), ("--fd=\(theirs.number)", [theirs]),
      ] {
        let nic = try NICProcess([role, "--uplink", "null"], inheriting: inherited)
        defer { nic.kill() }
        try #require(nic.errors.waitForLine(containing: " system calls\n"), "\(nic.errors.text)")
        let words = nic.errors.text.split(whereSeparator: { " \n".contains($0) })
        let place = try #require(words.firstIndex(of: "system"))
        let count = try #require(Int(words[place - 1]))
        #expect((1...40).contains(count), "\(role): \(count)")
        try nic.end()
      }
      withExtendedLifetime(ours) {}
    }

    @Test(
      "A crash ends it at once, with the backtracer asked for and without", arguments: ["enable=no", "enable=yes"],
      [SIGSEGV, SIGILL, SIGABRT])
    func crash(backtrace: String, signal: Int32) throws {
      try confined(launcher: ["/usr/bin/env", "SWIFT_BACKTRACE=\(backtrace)"]) { nic in
        nic.signal(signal)
        let ending = nic.wait()
        // A backtracer would have to be started, which is forbidden.
        #expect(ending == .signalled(signal) || ending == .signalled(SIGSYS), "\(String(describing: ending))")
      }
    }

    @Test("A directory that a socket will be in must be there")
    func noDirectory() throws {
      let nic = try NICProcess(["--connect=/no/such/directory/nic", "--uplink", "null"])
      defer { nic.kill() }
      #expect(nic.wait() == .exited(1))
      #expect(try nic.errors.allLines().count == 1)
    }

    /// What needs an interface, and another user.
    private static let hasInterfaces = isRoot && access("/dev/net/tun", R_OK | W_OK) == 0

    @Test(
      "Confined, it follows a TAP's queues, offloads and MTU; a larger MTU is refused with a word on --mtu",
      .enabled(if: hasInterfaces, "it makes a TAP: for root, where there is /dev/net/tun"))
    func tap() throws {
      let (ours, theirs) = try Descriptor.socketPair(Int32(SOCK_STREAM.rawValue))
      let nic = try NICProcess(
        ["--fd=\(theirs.number)", "--uplink", "tap:vsandbox0", "--queues", "2", "--user", "nobody"],
        inheriting: [theirs], launcher: ["/usr/bin/unshare", "-n"])
      defer { nic.kill() }
      try #require(nic.errors.waitForLine(containing: "confined: "), "\(nic.errors.text)")
      let frontEnd = FrontEnd(socket: ours, ram: try GuestRAM(size: 16 << 20))
      let features = Rig.plainFeatures | Feature.multiQueue | Feature.guestCsum | Feature.guestTSO4
      let guest = try MockGuest(
        frontEnd: frontEnd, features: features, options: DriverQueue.Options(size: 64), pairs: 2)
      try frontEnd.negotiate()
      try guest.start()
      for pair in 0..<2 {
        try guest.transmit(Rig.frame(pair), pair: pair)
        try guest.reclaim(1, pair: pair)
      }
      #expect(try frontEnd.setMTU(1400) == 0)
      #expect(try frontEnd.setMTU(9000) != 0)
      #expect(nic.errors.waitForLine(containing: "--mtu 9000"), "\(nic.errors.text)")
      nic.signal(SIGUSR1)
      #expect(nic.errors.waitForLine(containing: "queue 3 transmit frames=1 "), "\(nic.errors.text)")
      try nic.end()
    }

    @Test("Confined as another user, it connects again and again", .enabled(if: isRoot, "only root changes the user"))
    func connects() throws {
      let path = path()
      let nic = try NICProcess(["--connect=\(path)", "--uplink", "null", "--user", "nobody", "--sandbox=on"])
      defer { nic.kill() }
      try #require(nic.errors.waitForLine(containing: "waiting for the front-end"))
      let listener = try FrontEnd.listen(at: path)
      defer { unlink(path) }
      #expect(chmod(path, 0o777) == 0)
      for _ in 0..<3 {
        let frontEnd = FrontEnd(socket: try FrontEnd.accept(from: listener), ram: try GuestRAM(size: 4 << 20))
        #expect(try frontEnd.getFeatures() == Feature.offered)
      }
      try nic.end()
    }

    @Test("--sandbox=off takes nothing away and says so")
    func off() throws {
      let nic = try NICProcess(["--socket-path=\(path())", "--uplink", "null", "--sandbox=off"])
      defer { nic.kill() }
      try #require(nic.errors.waitForLine(containing: "not confined"))
      #expect(try nic.status("Seccomp") == ["0"])
      #expect(try !nic.rootEntries().isEmpty)
      try nic.end()
    }
  }
}
