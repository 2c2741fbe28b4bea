// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@Suite struct TraceReplayTests {
  @Test("Both forms of recording give the same message")
  func forms() throws {
    let long = try TraceReplay(parsing: "  11.874 Q>B SET_VRING_ENABLE fl=9 len=8 idx=1 num=1 fds=0\n")
    let short = try TraceReplay(parsing: "  0.213 SET_VRING_ENABLE       flags=0x9 size=8 fds=0 (1, 1)\n")
    for step in [long.steps[0], short.steps[0]] {
      #expect(step.request == .setVringEnable)
      #expect(step.flags == 9)
      #expect(step.size == 8)
      #expect(step.state?.index == 1)
      #expect(step.state?.number == 1)
    }
  }

  @Test("Replies and remarks of the recorder are not played")
  func remarks() throws {
    let text = """
      ##### MIGRATE START
        1.0 --- qemu connected
        1.0 Q>B SET_VRING_ADDR fl=9 len=40 idx=0 flags=1 desc=7f used=7f avail=7f log=2a fds=0
        1.0 B>Q SET_VRING_ADDR fl=5 len=8 u64=0x0 fds=0
        2.0 EOF from qemu
      """
    let steps = try TraceReplay(parsing: text).steps
    #expect(steps.count == 1)
    #expect(steps[0].flags == 9)
  }
}
