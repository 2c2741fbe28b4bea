// SPDX-License-Identifier: Apache-2.0

public import Memory

extension ByteRegion {
  /// Runs `body` on a copy of `bytes` in memory that is exactly as long, so that a read behind it fails.
  public static func with<Result>(_ bytes: [UInt8], _ body: (ByteRegion) throws -> Result) rethrows -> Result {
    let region = ByteRegion.allocate(count: bytes.count)
    defer { region.deallocate() }
    region.copy(from: bytes)
    return try body(region)
  }
}
