// SPDX-License-Identifier: Apache-2.0

// What libFuzzer drives: `Scripts/fuzz` says which target by VTCP_FUZZ_TARGET, since libFuzzer starts this program again
// with arguments of its own. All other arguments are libFuzzer's.

import FuzzTargets
import Glibc
import Memory
import Polling

@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
  _ argumentCount: UnsafeMutablePointer<Int32>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ callback: @convention(c) (UnsafeMutableRawPointer?, Int) -> Int32
) -> Int32

let log = Log(level: .error, prefix: "vtcp-fuzz")
guard let name = getenv("VTCP_FUZZ_TARGET"), let chosen = FuzzTarget(rawValue: String(cString: name)) else {
  log.error("VTCP_FUZZ_TARGET names no target; use Scripts/fuzz")
  exit(2)
}
let target = chosen
let nothing = ByteRegion.allocate(count: 0)

var argumentCount = CommandLine.argc
var arguments = CommandLine.unsafeArgv
exit(
  runDriver(&argumentCount, &arguments) { octets, count in
    do {
      try target.run(octets.map { ByteRegion(base: $0, count: count) } ?? nothing)
    } catch {
      log.error("\(target.rawValue): \(error)")
      abort()
    }
    return 0
  })
