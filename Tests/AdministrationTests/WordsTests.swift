// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Administration

@Suite struct WordsTests {

  @Test("Who misspells a command is told the one that is near")
  func hints() {
    let commands: [SubcommandHint.Tree] = [.command("policy", [.command("apply", [])]), .command("flows", [])]
    #expect(
      SubcommandHint.sentence(["flwos"], commands) == "there is no command 'flwos'; did you mean 'flows'?")
    #expect(
      SubcommandHint.sentence(["policy", "aply", "x"], commands)
        == "there is no command 'policy aply'; did you mean 'policy apply'?")
    #expect(SubcommandHint.sentence(["policy", "--json"], commands) == nil)
    #expect(SubcommandHint.sentence(["flows", "apply"], commands) == nil)
    #expect(SubcommandHint.sentence(["something"], commands) == nil)
  }

  @Test("Spans are a number and a unit", arguments: [("1s", 1), ("10m", 600), ("2h", 7200), ("1d", 86_400)])
  func spans(text: String, seconds: Int) { #expect(SpanText.seconds(text) == seconds) }

  @Test("Others are no spans", arguments: ["", "m", "10", "-1m", "+1m", "0s", "1w", "99999999999999999999s", "400d"])
  func noSpans(text: String) { #expect(SpanText.seconds(text) == nil) }

  @Test("QEMU is given shared memory, the socket to which it comes back, and the device")
  func qemu() throws {
    var arguments = QEMUArguments(memory: "2G")
    arguments.socketPath = "/run/vtcp/a,b.sock"
    arguments.queuePairs = 4
    arguments.macAddress = "52:54:00:00:00:01"
    #expect(
      try arguments.words().joined(separator: " ")
        == "-m 2G -object memory-backend-memfd,id=mem0,size=2G,share=on -machine memory-backend=mem0 "
        + "-chardev socket,id=vtcp0,path=/run/vtcp/a,,b.sock,reconnect=1 -netdev vhost-user,id=vtcp0,chardev=vtcp0,queues=4 "
        + "-device virtio-net-pci,netdev=vtcp0,rx_queue_size=1024,tx_queue_size=1024,mq=on,vectors=10,mac=52:54:00:00:00:01"
    )
  }

  @Test(
    "What QEMU could not be given is refused",
    arguments: ["", "/run/a b", "/run/$x", String(repeating: "x", count: 108)])
  func badPaths(path: String) {
    var arguments = QEMUArguments(memory: "512")
    arguments.socketPath = path
    #expect(throws: AdministrationError.self) { try arguments.words() }
  }
}
