// SPDX-License-Identifier: Apache-2.0

import Simulation
import Testing

@Suite("Whole connections in virtual time")
struct ScheduleTests {
  @Test("No invariant is broken in any of these random schedules", arguments: 0..<16)
  func random(block: Int) throws {
    for seed in UInt64(block) * 8..<UInt64(block) * 8 + 8 {
      let simulation = try Simulation(Schedule.random(seed: seed))
      do { try simulation.run() } catch { throw Broken("seed \(seed): \(error)") }
    }
  }

  /// What was found once: seeds, the generation of schedules that they are of, and what broke then.
  @Test(
    "Seeds that broke an invariant stay whole",
    arguments: [
      // A resend range without octets, compared half a circle away.
      (22, 1),
      // Data that passed by were taken back, and sent again without end.
      (66, 1),
      // The window could not be told as finely as it opened: an acknowledgment without end.
      (362, 1), (20_032, 1),
      // A turned bit in an acknowledgment was believed (I6).
      (388, 1), (549, 1),
      // Probes beyond the window passed by, and were not counted.
      (463, 1), (1434, 1),
      // All of the pool was another's, and the window stayed shut.
      (4083, 1),
      // The answer to a probe left owned octets without a timer (I7).
      (101_098, 1),
      // Behind a gap, a sender that had seen a wide window filled a narrow one an octet at a time.
      (1_094_089, 1),
      // A question whether the receiver lives passed, with an octet in it that it does not have.
      (764, 2), (2730, 2),
      // Acknowledgments passed with numbers beyond the receiver's window, and were not looked at; a side had no record to send with,
      // while the other waited for them; what a segment acknowledged was lost with it when its data waited.
      (16_474, 2), (24_083, 2), (24_969, 2), (27_917, 2),
      // What a sender repeated made our own wait at the pacer for ever.
      (314_900, 2),
      // A buffer of less than a unit of the window: the window stayed shut.
      (403_255, 3),
      // An answer to what was sent again, a minute late, was taken for a round trip: a minute for each further loss.
      (871_787, 3),
      // Data that are held passed once more with their FIN, beyond the receiver's window.
      (2_058_127, 6),
      // While the first data of an end were lost, our segments to it echoed a time that it had not said.
      (388, 7), (399, 7),
      // Another policy's recovery let nothing go for ever.
      (9_021_902, 8),
      // A FIN without data overtook the last data while copies were held: they were acknowledged and not there (I2).
      (101_010_938, 11),
      // What an echo answers had been overtaken by a reset: of the model, not of the module.
      (191_018_573, 16), (192_015_159, 18),
      // What was delivered for one mode said to the ruled sender of the other direction that it may send all that the receiver takes.
      (191_018_658, 19),
      // The same of an echo itself; and of the model's counting of what SYNs say in connections that are let alone, and of windows beside
      // acknowledgments from before.
      (108_004_974, 19), (195_001_901, 20), (195_005_653, 20), (195_015_661, 20),
      // A window that a clamp had hidden counted as shown once an acknowledgment from before passed without the clamp.
      (195_027_318, 20),
      // The packet that ended a phase took the short way, and was not clamped by the phase that it began.
      (195_073_771, 20), (195_066_170, 20),
      // A timer ran out in the very step in which an acknowledgment had shown a window: of the watch, not of the module.
      (210_197_320, 21),
      // A FIN beyond the window passed on the segment with which early acknowledgment began: of the watch.
      (210_515_858, 20),
    ] as [(UInt64, Int)])
  func found(seed: UInt64, generation: Int) throws {
    try Simulation(Schedule.random(seed: seed, generation: generation)).run()
  }
}
