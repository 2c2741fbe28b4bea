// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

extension NICTests {
  /// What DPDK's virtio-user says that QEMU does not (`virtio_user_dev.c`, `virtio_user_kick_queue`).
  @Suite struct VirtioUserTests {
    @Test("A packed ring whose base names the available position only starts there, both ways")
    func baseOfOnePosition() throws {
      var shape = Rig.Shape()
      shape.options.layout = .packed
      try Rig.runNegotiated(shape) { (rig) throws in
        try rig.guest.start(bases: [0x8000, 0x8000])
        try rig.settle()
        for number in 0..<5 { try rig.checkTraffic(number: 2 * number) }
        // And so it is answered: both positions.
        #expect(try rig.frontEnd.getVringBase(0) == 0x8005_8005)
      }
    }

    @Test("A split ring in use that is handed over with base 0 goes on where it was", arguments: [3, 500])
    func baseOfZero(frames: Int) throws {
      var shape = Rig.Shape()
      shape.options.size = 64
      try Rig.run(shape) { (rig) throws in
        for number in 0..<frames { try rig.checkTraffic(number: 2 * number) }
        for index in 0..<2 as Range<UInt32> { _ = try rig.frontEnd.getVringBase(index) }
        try rig.guest.start(bases: [0, 0])
        try rig.settle()
        for number in 0..<100 { try rig.checkTraffic(number: 2 * number) }
      }
    }
  }
}
