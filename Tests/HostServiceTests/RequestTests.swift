// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService
import Testing

@Suite("What can be asked for, and by whom")
struct RequestTests {
  private func request(_ line: String) throws -> ServiceRequest {
    try ServiceRequest(try ControlRequestLine(parsing: "\(line) 0".utf8))
  }

  private func name(_ text: String) throws -> NICName { try NICName(text) }

  @Test func eachPathIsUnderstood() throws {
    let web = try name("web1")
    let cases: [(String, ServiceRequest)] = [
      ("GET /v1/status", .status), ("GET /v1/nics", .nics), ("GET /v1/nics/web1", .nic(web)),
      ("PUT /v1/nics/web1", .addNIC(web)), ("DELETE /v1/nics/web1", .removeNIC(web)),
      ("POST /v1/nics/web1/drain", .renew(web, .drain)), ("DELETE /v1/nics/web1/drain", .endDraining(web)),
      ("POST /v1/nics/web1/restart", .renew(web, .restart)),
      ("POST /v1/nics/web1/upgrade", .renew(web, .upgrade)), ("GET /v1/nics/web1/statistics", .statistics(web)),
      ("GET /v1/policy", .policy), ("PUT /v1/policy", .setPolicy), ("POST /v1/policy/check", .checkPolicy),
      ("POST /v1/policy/explain", .explainPolicy), ("POST /v1/policy/diff", .diffPolicy),
      ("GET /v1/policy/history", .history), ("POST /v1/policy/rollback?revision=7", .rollBack(revision: 7)),
      ("GET /v1/overrides", .overrides), ("POST /v1/overrides", .addOverride),
      ("DELETE /v1/overrides/3", .removeOverride("3")), ("POST /v1/reload", .reload), ("POST /v1/shutdown", .shutDown),
      (
        "POST /v1/libvirt/hook?vm=web%201&operation=prepare&suboperation=begin&extra=-",
        .libvirtHook(machine: "web 1", operation: "prepare", suboperation: "begin", extra: "-")
      ), ("POST /v1/libvirt/metadata?uuid=u", .libvirtMetadata(uuid: "u")), ("GET /v1/events", .events),
    ]
    for (line, wanted) in cases { #expect(try request(line) == wanted, "\(line)") }
  }

  @Test(
    arguments: [
      ("GET /v2/status", "begin with /v1"), ("GET /v1/statuss", "did you mean /v1/status?"),
      ("GET /v1/nic", "did you mean /v1/nics?"), ("POST /v1/status", "there is no POST /v1/status"),
      ("DELETE /v1/policy", "there is no DELETE /v1/policy"), ("POST /v1/nics/web1", "what is done with a NIC"),
      ("POST /v1/nics/web1/restrat", "did you mean restart?"), ("GET /v1/nics/web1/drain", "no GET 'drain'"),
      ("GET /v1/nics/a/b/c", "there is no"), ("POST /v1/policy/chek", "did you mean check?"),
      ("POST /v1/policy/rollback", "to which revision"), ("POST /v1/policy/rollback?revision=0", "to which revision"),
      ("POST /v1/policy/rollback?revision=x", "to which revision"), ("POST /v1/libvirt/hook", "of which VM"),
      ("POST /v1/libvirt/metadata", "of which VM"), ("POST /v1/libvirt/x", "no 'x'"), ("GET /v1", "there is no"),
      ("PUT /v1/nics/..", "letters, digits"),
    ])
  func whatThereIsNotIsToldWithWhatMayBeMeant(_ line: String, _ part: String) {
    do {
      _ = try request(line)
      Issue.record("\(line) was taken")
    } catch {
      #expect("\(error)".contains(part), "\(line): \(error)")
    }
  }

  @Test func whoMayReadMayChangeNothing() throws {
    let rule = AccessRule(administrators: [0, 990])
    let reading = [
      "GET /v1/status", "GET /v1/nics", "GET /v1/nics/a", "GET /v1/nics/a/statistics", "GET /v1/policy",
      "POST /v1/policy/check", "POST /v1/policy/explain", "POST /v1/policy/diff", "GET /v1/policy/history",
      "GET /v1/overrides", "GET /v1/events",
    ]
    let changing = [
      "PUT /v1/nics/a", "DELETE /v1/nics/a", "POST /v1/nics/a/drain", "DELETE /v1/nics/a/drain",
      "POST /v1/nics/a/restart",
      "POST /v1/nics/a/upgrade",
      "PUT /v1/policy", "POST /v1/policy/rollback?revision=1", "POST /v1/overrides", "DELETE /v1/overrides/1",
      "POST /v1/reload", "POST /v1/shutdown", "POST /v1/libvirt/hook?vm=a&operation=start",
      "POST /v1/libvirt/metadata?uuid=u",
    ]
    for line in reading { #expect(rule.permits(try request(line), user: 1000), "\(line)") }
    for line in changing {
      #expect(!rule.permits(try request(line), user: 1000), "\(line)")
      #expect(rule.permits(try request(line), user: 0), "\(line)")
      #expect(rule.permits(try request(line), user: 990), "\(line)")
    }
  }

  @Test func answerOfANICIsReadWholeOrNotAtAll() {
    let answer = NICAnswer(parsing: Array("ok\npolicy 3\nkept 1\ntwo words here\n".utf8))
    #expect(answer?.isGood == true)
    #expect(answer?["policy"] == "3")
    #expect(answer?["two"] == "words here")
    #expect(answer?["pol"] == nil)
    #expect(NICAnswer(parsing: Array("error\n1:2: no\n".utf8))?.isGood == false)
    for text in ["", "ok", "ok\nx", "what\n", "\n\n"] {
      #expect(NICAnswer(parsing: Array(text.utf8)) == nil, "\(text)")
    }
    #expect(NICAnswer(parsing: Array("ok\n".utf8) + [UInt8](repeating: 10, count: NICAnswer.longest)) == nil)
  }
}
