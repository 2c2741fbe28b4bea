// SPDX-License-Identifier: Apache-2.0

import Glibc
import HostSystem
import Memory
import Polling
import Testing
import Timekeeping

@Suite("Programs that are started, what they are handed, and files")
struct HostSystemTests {
  private func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let path = "/tmp/vtcp-test-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    try HostFile.makeDirectory(path, access: FileAccess(mode: 0o700))
    defer {
      for name in (try? HostFile.list(path)) ?? [] { try? HostFile.remove("\(path)/\(name)") }
      try? HostFile.removeDirectory(path)
    }
    return try body(path)
  }

  private func end(_ process: HostProcess) throws -> HostProcess.End? {
    let poller = try Poller(maximumEvents: 1)
    try poller.add(process.rawValue, .readable, token: 0)
    guard poller.wait(timeout: .seconds(20)) > 0 else { return nil }
    return try process.end()
  }

  private func shell(_ script: String) -> ProgramStart {
    // Not sh, which may know descriptors of one digit only.
    var program = ProgramStart(path: "/bin/bash")
    program.arguments = ["-c", script]
    return program
  }

  @Test(arguments: [0, 1, 42, 127, 255] as [Int32])
  func statusOfAProgramIsTold(_ status: Int32) throws {
    #expect(try end(HostProcess(starting: shell("exit \(status)"))) == .status(status))
  }

  @Test(arguments: [HostProcess.kill, HostProcess.terminate])
  func signalThatEndsAProgramIsTold(_ signal: Int32) throws {
    let process = try HostProcess(starting: shell("sleep 100"))
    #expect(try process.end() == nil)
    process.send(signal: signal)
    #expect(try end(process) == .signal(signal))
  }

  @Test func programThatIsNotThereIsAnErrorAndNoProcess() throws {
    #expect(throws: SystemError.self) { try HostProcess(starting: ProgramStart(path: "/nonexistent/program")) }
  }

  @Test func programGetsWhatItIsHandedInThatOrderAndNothingElse() throws {
    try withFolder { folder in
      // Numbers that overlap with where they are to be, in an order that is not theirs.
      var descriptors: [OwnedDescriptor] = []
      for index in 0..<20 {
        let path = "\(folder)/\(index)"
        try HostFile.write(path, Array("\(index)".utf8), access: FileAccess(mode: 0o600))
        descriptors.append(OwnedDescriptor(open(path, O_RDONLY)))
      }
      descriptors.reverse()
      // Not close-on-exec, and not handed over.
      let stray = OwnedDescriptor(open("/dev/null", O_RDONLY))
      defer { withExtendedLifetime(stray) {} }
      var program = shell(
        """
        for fd in $(seq 3 22); do eval "read line <&$fd"; printf '%s ' "$line"; done >\(folder)/out
        ls /proc/self/fd | sort -n | tr '\\n' ' ' >>\(folder)/out
        printf '%s %s %s' "$LISTEN_PID" "$$" "$LISTEN_FDNAMES" >>\(folder)/out
        """)
      program.descriptors = descriptors
      program.environment = ["PATH=/usr/bin:/bin", "LISTEN_PID=0000000000", "LISTEN_FDNAMES=a:b"]
      let process = try HostProcess(starting: program)
      #expect(try end(process) == .status(0))
      let words = String(decoding: try HostFile.read("\(folder)/out", limit: 4096), as: UTF8.self).split(separator: " ")
      #expect(words.prefix(20).map(String.init) == (0..<20).reversed().map { "\($0)" })
      // 23: of the directory that ls reads.
      #expect(
        words.dropFirst(20).prefix(while: { $0 != "\(process.identifier)" }).map(String.init)
          == (0...23).map { "\($0)" })
      #expect(words.suffix(3).map(String.init) == ["\(process.identifier)", "\(process.identifier)", "a:b"])
    }
  }

  @Test func programHasNoCapabilitiesAndItsLimits() throws {
    try withFolder { folder in
      var program = shell(
        "(grep -E '^(CapPrm|CapEff|CapInh|CapAmb|SigBlk|SigIgn)' /proc/self/status; ulimit -n; ulimit -c; ps -o sid= -p $$) >\(folder)/out"
      )
      program.environment = ["PATH=/usr/bin:/bin"]
      program.fileLimit = 300
      let process = try HostProcess(starting: program)
      #expect(try end(process) == .status(0))
      let lines = String(decoding: try HostFile.read("\(folder)/out", limit: 4096), as: UTF8.self).split(
        separator: "\n")
      for line in lines.prefix(6) {
        let mask = line.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) }
        // Two signals above 31 are the C library's own, and as it was started.
        #expect(mask.map { line.hasPrefix("Sig") ? $0 & 0x7fff_ffff : $0 } == 0, "\(line)")
      }
      #expect(lines.dropFirst(6).prefix(2).map(String.init) == ["300", "0"])
      #expect(lines.last.flatMap { Int32($0.filter { $0 != " " }) } == process.identifier)
    }
  }

  @Test(.enabled(if: geteuid() == 0, "only root may change users"))
  func programRunsAsItsUserWithoutOtherGroups() throws {
    try withFolder { folder in
      chmod(folder, 0o777)
      var program = shell("id -u >\(folder)/out; id -g >>\(folder)/out; id -G >>\(folder)/out")
      program.environment = ["PATH=/usr/bin:/bin"]
      program.user = 64_123
      program.group = 64_124
      #expect(try end(HostProcess(starting: program)) == .status(0))
      let text = String(decoding: try HostFile.read("\(folder)/out", limit: 4096), as: UTF8.self)
      #expect(text == "64123\n64124\n64124\n")
    }
  }

  @Test func processThatIsNoChildIsWatchedToo() throws {
    let child = try HostProcess(starting: shell("sleep 100"))
    let watched = try HostProcess(existing: child.identifier)
    child.send(signal: HostProcess.kill)
    #expect(try end(watched) == .unknown)
    #expect(try end(child) == .signal(9))
    #expect(throws: SystemError.self) { try HostProcess(existing: child.identifier) }
  }

  @Test func notificationTellsItsSenderAndBringsItsDescriptors() throws {
    try withFolder { folder in
      let listener = try NotifyListener(path: "\(folder)/notify", access: FileAccess(mode: 0o600))
      #expect(try listener.next() == nil)
      let sender = NotifySocket(try UnixSocket.connectDatagrams(path: "\(folder)/notify"))
      let event = try EventDescriptor.make()
      #expect(sender.store(event, name: "kick-0") == .taken)
      #expect(sender.say("READY=1") == .taken)
      let first = try #require(try listener.next())
      #expect(String(decoding: first.bytes, as: UTF8.self).contains("FDNAME=kick-0"))
      #expect(first.descriptors.count == 1 && first.sender == getpid() && !first.isTruncated)
      #expect(try #require(try listener.next()).bytes == Array("READY=1\n".utf8))
      #expect(try listener.next() == nil)
    }
  }

  @Test func notificationThatIsTooLongIsToldApart() throws {
    let (listener, sender) = try NotifyListener.pair()
    let region = ByteRegion.allocate(count: 5000)
    defer { region.deallocate() }
    #expect(UnixSocket.send(sender.rawValue, region, descriptors: []) == .bytes(5000))
    #expect(try #require(try listener.next()).isTruncated)
  }

  @Test func socketHasItsModeAndReplacesADeadOneOnly() throws {
    try withFolder { folder in
      let path = "\(folder)/x.sock"
      var listener: OwnedDescriptor? = try HostSocket.listen(path: path, backlog: 4, access: FileAccess(mode: 0o660))
      var status = stat()
      #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o660)
      #expect(throws: SystemError.self) {
        try HostSocket.listen(path: path, backlog: 4, access: FileAccess(mode: 0o660))
      }
      withExtendedLifetime(listener) {}
      listener = nil
      _ = try HostSocket.listen(path: path, backlog: 4, access: FileAccess(mode: 0o600))
      try HostFile.remove(path)
      try HostFile.write(path, [], access: FileAccess(mode: 0o600))
      #expect(throws: SystemError.self) {
        try HostSocket.listen(path: path, backlog: 4, access: FileAccess(mode: 0o660))
      }
    }
  }

  @Test func fileIsReplacedWholeAndReadWithinItsLimit() throws {
    try withFolder { folder in
      let path = "\(folder)/file"
      try HostFile.write(path, Array("one".utf8), access: FileAccess(mode: 0o640), isDurable: true)
      try HostFile.write(path, Array("three".utf8), access: FileAccess(mode: 0o600))
      #expect(try HostFile.read(path, limit: 5) == Array("three".utf8))
      #expect(throws: SystemError(call: "read \(path)", code: SystemError.tooLarge)) {
        try HostFile.read(path, limit: 4)
      }
      #expect(throws: SystemError(call: "read \(folder)", code: SystemError.isDirectory)) {
        try HostFile.read(folder, limit: 4)
      }
      #expect(throws: SystemError(call: "read \(path)x", code: SystemError.noSuchFile)) {
        try HostFile.read(path + "x", limit: 4)
      }
      #expect(try HostFile.list(folder) == ["file"])
      var status = stat()
      #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    }
  }

  @Test func lockLastsAsLongAsItsOwner() throws {
    try withFolder { folder in
      var lock: OwnedDescriptor? = try HostFile.lock("\(folder)/lock")
      #expect(throws: SystemError(call: "lock", code: SystemError.again)) { try HostFile.lock("\(folder)/lock") }
      withExtendedLifetime(lock) {}
      lock = nil
      // A child that another test has just forked has it until it becomes another program.
      var next: OwnedDescriptor?
      for _ in 0..<1000 where next == nil {
        next = try? HostFile.lock("\(folder)/lock")
        if next == nil { usleep(10_000) }
      }
      #expect(next != nil)
    }
  }

  @Test func whoConnectsIsKnown() throws {
    let (one, other) = try UnixSocket.pair(.stream)
    #expect(try PeerCredentials(of: one) == PeerCredentials(process: getpid(), user: geteuid(), group: getegid()))
    withExtendedLifetime(other) {}
  }
}
