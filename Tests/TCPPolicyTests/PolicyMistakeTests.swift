// SPDX-License-Identifier: Apache-2.0

import FrameSupport
import TCPPolicy
import Testing

@Suite("Policy: what is wrong in its text") struct PolicyMistakeTests {
  private func errors(_ text: String) -> [String] {
    do throws(PolicyTextErrors) {
      _ = try Classifier(parsing: text, fallback: FlowConfiguration())
      return []
    } catch {
      return error.errors.map(\.description)
    }
  }

  @Test(
    "A mistake is told with its place and how to mend it",
    arguments: [
      (
        "rul a=b",
        "1:1: a line begins with default, configuration, phases, rule, shape or limit, not 'rul'; did you mean rule?"
      ),
      ("configuration", "1:1: a configuration has a name: configuration NAME KEY=VALUE ..."),
      ("configuration a mode=late", "1:22: mode is off, limit, snoop, early, not 'late'"),
      ("configuration a tailSiz=1", "1:17: there is no 'tailSiz' in a configuration; did you mean tailSize?"),
      ("configuration a tailSize=1MB", "1:26: tailSize is a number with KiB, MiB, GiB, not '1MB'"),
      ("configuration a keepFactor=1024", "1:28: keepFactor is 0 to 1023 1/1024, not 1024"),
      ("configuration a minimumTimeout=5", "1:32: minimumTimeout is a number with us, ms, s, not '5'"),
      ("configuration a mode", "1:17: 'mode' says nothing: KEY=VALUE"),
      ("configuration a mode=", "1:22: 'mode' has no value"),
      ("configuration a mode=off mode=off", "1:26: 'mode' stands twice on this line"),
      ("configuration a isPaced=yes", "1:25: isPaced is on or off, not 'yes'"),
      ("configuration a/b", "1:15: 'a/b' is no name: 1 to 32 letters, digits, -, _ and ."),
      ("configuration a\nconfiguration a", "2:15: there is a configuration a already, on line 1"),
      ("configuration default", "1:15: there is a configuration default already"),
      ("configuration a extends=confg1", "1:25: there is no configuration 'confg1' above; did you mean config1?"),
      ("configuration a mode=off extends=config1", "1:26: extends stands first, behind the name"),
      (
        "configuration a minimumTimeout=20s maximumTimeout=10s",
        "1:15: configuration a: maximumTimeout is 20000000000 to 3600000000000 ns, not 10000000000"
      ),
      (
        "rule configuration=config1\ndefault mode=off",
        "2:1: default comes before all else, and once: the others begin with it"
      ),
      ("phases", "1:1: phases have a name: phases NAME CONFIGURATION until=LIMIT ... CONFIGURATION"),
      ("phases a", "1:8: there are two phases at least"),
      ("phases a config1", "1:8: there are two phases at least"),
      ("phases config1 config2 until=1s config1", "1:8: there is a configuration config1 already"),
      ("phases default config2 until=1s config1", "1:8: there is a configuration default already"),
      (
        "phases a config1 config2",
        "1:10: a phase that another one follows has an end: until=1MiB, until=5s or until=established"
      ),
      (
        "phases a config1 until=1s config2 until=2s",
        "1:41: what follows the last until is not said: a configuration stands at the end"
      ),
      ("phases a until=1s config2", "1:10: 'until' stands behind a configuration, once"),
      ("phases a config1 until=1s until=2s config2", "1:27: 'until' stands behind a configuration, once"),
      ("phases a config1 util=1s config2", "1:18: there is no 'util' in phases; did you mean until?"),
      ("phases a confg1 until=1s config2", "1:10: there is no configuration 'confg1' above; did you mean config1?"),
      ("phases a c/d until=1s config2", "1:10: 'c/d' is no name: 1 to 32 letters, digits, -, _ and ."),
      (
        "phases a config1 until=1MB config2",
        "1:24: until is established, a number of octets with KiB, MiB, GiB, or a time with us, ms, s, not '1MB'"
      ),
      (
        "phases a config1 until=establishd config2",
        "1:24: until is established, a number of octets with KiB, MiB, GiB, or a time with us, ms, s, not 'establishd'; "
          + "did you mean established?"
      ),
      (
        "phases a config1 until=3GiB config2",
        "1:24: until is established, 1 to 2147483648 octets, or 1us to 86400s"
      ),
      ("phases a config1 until=0 config2", "1:24: until is established, 1 to 2147483648 octets, or 1us to 86400s"),
      ("phases a config1 until=86401s config2", "1:24: until is established, 1 to 2147483648 octets, or 1us to 86400s"),
      (
        "phases a config1 until=1s config2 until=established config1",
        "1:41: only the first phase can end with the handshake"
      ),
      (
        "phases a config1 until=1MiB config2 until=5s config1 until=1024KiB config2",
        "1:60: a phase ends later than those before it: until counts from the beginning of the connection"
      ),
      (
        "phases a " + (1...8).map { "config1 until=\($0)s " }.joined() + "config2",
        "1:146: there are 9 phases, and may be 8"
      ),
      (
        "phases a config1 until=1s config2\nphases b a until=1s config2",
        "2:10: 'a' are phases, and here stands a configuration"
      ),
      (
        "phases a config1 until=1s config2\nconfiguration b extends=a",
        "2:25: 'a' are phases, and here stands a configuration"
      ),
      (
        "phases a config1 until=1s config2\nconfiguration a", "2:15: there are phases a already, on line 1"
      ),
      (
        "configuration a\nphases a config1 until=1s config2", "2:8: there is a configuration a already, on line 1"
      ),
      (
        "phases fast config1 until=1s config2\nrule configuration=fats",
        "2:20: there is no configuration 'fats' above; did you mean fast?"
      ),
      ("configuration a ecn=set", "1:21: ecn is keep, clear, offer, not 'set'"),
      ("configuration a maximumSegmentSize=65536", "1:36: maximumSegmentSize is 0 to 65535 octets, not 65536"),
      (
        "configuration a stripOptions=timestamp,unknown",
        "1:30: stripOptions is none, or of timestamps,windowScale,sackPermitted,fastOpen,unknown, not 'timestamp'; did you "
          + "mean timestamps?"
      ),
      (
        "configuration a addOptions=maximumSegmentsize",
        "1:28: addOptions is none, or of maximumSegmentSize, not 'maximumSegmentsize'; did you mean maximumSegmentSize?"
      ),
      (
        "configuration a stripOptions=unknown,",
        "1:30: stripOptions is none, or of timestamps,windowScale,sackPermitted,fastOpen,unknown, not ''"
      ),
      ("rule dscp=46", "1:1: a rule says which configuration: rule KEY=VALUE ... configuration=NAME"),
      ("rule configuration=bulk", "1:20: there is no configuration 'bulk' above"),
      ("rule sorce=10.0.0.1 configuration=config1", "1:6: a rule can't ask for 'sorce'; did you mean source?"),
      ("rule source=10.0.0 configuration=config1", "1:13: '10.0.0' is no prefix: 10.0.0.0/8, fd00::/8, or an address"),
      (
        "rule source=10.0.0.1/8 configuration=config1", "1:1: the address of source has bits that its prefix leaves out"
      ),
      ("rule source=10.0.0.0/40 configuration=config1", "1:1: the prefix of source has 0 to 32 bits, not 40"),
      ("rule guestPort=70000 configuration=config1", "1:16: guestPort is a port, or a range as 5201-5210, not '70000'"),
      ("rule guestPort=9-8 configuration=config1", "1:1: the ports of guest end at 8 and begin at 9"),
      ("rule vlan=4095 configuration=config1", "1:1: a VLAN is 0 to 4094, not 4095"),
      ("rule vlan=x configuration=config1", "1:11: vlan is 0 to 4294967295 or none, not 'x'"),
      ("rule vlan=none innerVLAN=5 configuration=config1", "1:1: there is no inner VLAN tag without an outer one"),
      ("rule dscp=64 configuration=config1", "1:11: dscp is 0 to 63, not '64'"),
      ("rule opener=host configuration=config1", "1:13: opener is guest or network, not 'host'"),
      (
        "rule guest=10.0.0.1 network=fd00::1 configuration=config1",
        "1:1: both ends of a connection have IPv4 addresses, or both have IPv6 addresses"
      ),
    ])
  func mistakes(text: String, told: String) {
    #expect(errors(text) == [told])
  }

  @Test("Numbers beyond what can be counted are beyond the range", arguments: ["tailSize", "minimumTimeout"])
  func hugeNumbers(key: String) {
    let unit = key == "tailSize" ? "GiB" : "s"
    for digits in ["9999999999", "8589934592", "99999999999999999999"] {
      let told = errors("configuration a \(key)=\(digits)\(unit)")
      #expect(told.count == 1 && told[0].contains("\(key) is "), "\(told)")
    }
  }

  @Test("A rule that names a configuration in which something is wrong is no mistake")
  func noneFollows() {
    #expect(errors("configuration a extends=b\nrule configuration=a").count == 1)
  }

  @Test("All mistakes are told at once, up to twenty, in their order")
  func several() {
    let text = """
      default mode=x tailSize=y
      configuration a vlan=1

      rule configuration=b source=z
      """
    #expect(errors(text).map { String($0.prefix { $0 != " " }) } == ["1:14:", "1:25:", "2:17:", "4:20:", "4:29:"])
    #expect(errors(String(repeating: "x\n", count: 100)).count == 20)
  }

  @Test("Too much of anything is told where it begins to be too much")
  func limits() {
    let rules = String(repeating: "rule configuration=config1\n", count: 1025)
    #expect(errors(rules) == ["1025:1: there are 1025 rules, and may be 1024"])
    let configurations = (0..<254).map { "configuration c\($0)\n" }.joined()
    #expect(errors(configurations) == ["254:15: there are 254 configurations, and may be 253"])
    // Those beyond are not kept.
    #expect(errors(configurations + "configuration more\nrule configuration=more").count == 3)
    let padded = "rule configuration=default" + String(repeating: " ", count: 4070)
    #expect(padded.utf8.count == 4096 && errors(padded).isEmpty)
    #expect(errors("\n" + padded + "#") == ["2:4097: a line has at most 4096 octets"])
    let phases = configurations.split(separator: "\n").prefix(252).joined(separator: "\n")
    #expect(
      errors(phases + "\nphases x c1 until=1s c2") == ["253:8: there are 254 configurations and phases, and may be 253"]
    )
    // Nor are those of phases, each of which is compared with all before it.
    let many = (0..<254).map { "phases p\($0) config1 until=1s config2\n" }.joined()
    #expect(errors(many) == ["254:8: there are 254 configurations and phases, and may be 253"])
    let classes = (0..<256).map { "rule configuration=config1 class=k\($0)\n" }.joined()
    #expect(errors(classes) == ["256:1: there may be 256 classes"])
  }

  @Test(
    "Whatever octets there are, the answer is a policy or mistakes in printable text",
    arguments: 0..<40 as Range<UInt64>)
  func anything(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let good = """
      default mode=early transmitBufferSize=4MiB
      configuration a extends=config1 congestionAlgorithm=cubic
      phases p a until=established config1 until=1MiB config2 until=5s a
      rule source=fd00::1:0/112 vlan=5 sourcePort=1-2 dscp=3 configuration=a class=b
      """
    for _ in 0..<100 {
      var bytes = Array(good.utf8)
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] = .random(in: 0...255, using: &random)
        case 1: bytes.remove(at: place)
        default: bytes.insert(contentsOf: bytes[0..<min(place, 40)], at: place)
        }
      }
      for error in errors(String(decoding: bytes, as: UTF8.self)) {
        #expect(error.utf8.allSatisfy { (0x20..<0x7f).contains($0) }, "\(error)")
        #expect(error.utf8.count < 400)
      }
    }
  }
}
