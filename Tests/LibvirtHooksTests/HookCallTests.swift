// SPDX-License-Identifier: Apache-2.0

import DomainXML
import LibvirtHooks
import Testing

@Suite("How libvirt calls the hook")
struct HookCallTests {
  @Test("The last four words are libvirt's, even if they look like options")
  func words() throws {
    let call = try HookCall(arguments: ["--run-directory=/x", "--help", "prepare", "begin", "-"])
    #expect(call.name == "--help" && call.known == .prepare && call.suboperation == "begin" && call.extra == "-")
    #expect(call.folder == "/x" && call.controlSocket == "/x/control.sock")
    let both = try HookCall(arguments: ["--control-socket=/c", "--run-directory=/x", "a", "b", "c", "d"])
    #expect(both.controlSocket == "/c" && both.folder == "/x" && both.known == nil)
    let plain = try HookCall(arguments: ["web1", "reconnect", "begin", "-"])
    #expect(plain.controlSocket == "/run/vtcp/control.sock" && plain.folder == "/run/vtcp")
  }

  @Test("Other calls are told how it is called", arguments: [[], ["a", "b", "c"], ["--x", "a", "b", "c", "d"]])
  func mistakes(arguments: [String]) {
    #expect(throws: HookCallError.self) { try HookCall(arguments: arguments) }
  }

  @Test("Whom nothing of ours concerns passes without anybody being asked")
  func passage() throws {
    func passage(_ text: String) -> HookPassage { HookPassage(Array(text.utf8), folder: "/run/vtcp") }
    let ours = "<interface type='vhostuser'><source path='/run/vtcp/a.sock' mode='client'/></interface>"
    let theirs = "<interface type='vhostuser'><source path='/run/ovs/a.sock' mode='client'/></interface>"
    #expect(passage("<domain><devices>\(ours)</devices></domain>") == .asks)
    #expect(passage("<domain><devices>\(theirs)\(ours)</devices></domain>") == .asks)
    #expect(passage("<domain><devices>\(theirs)</devices></domain>") == .passes)
    #expect(passage("<domain/>") == .passes)
    #expect(passage("") == .passes)
    // What can't be read concerns us only if it may be about us.
    let long = String(repeating: "x", count: XMLLimits.octets)
    #expect(passage("<domain><description>\(long)</description></domain>") == .passes)
    #expect(passage("<domain><description>\(long)</description>\(theirs)</domain>") == .passes)
    guard case .unreadable = passage("<domain><description>\(long)</description>\(ours)</domain>") else {
      Issue.record("passes although it may be about us")
      return
    }
  }
}
