// SPDX-License-Identifier: Apache-2.0

// vtcp-libvirt-hook: tells vtcpd of what libvirt is about to do with a domain (docs/libvirt.md). libvirt runs it for every domain and waits for it, so it
// is small: one look at the XML, at most one request, and 2 seconds for all of it. It calls nothing of libvirt, which would wait for itself.
//
// Its exit status is 1 for one thing only: to refuse a start that would hang or fail later. Everywhere else libvirt would ignore it, or end the domain.

import ControlProtocol
import LibvirtHooks
import Polling
import Timekeeping

/// For everything.
let patience = Interval.seconds(2)

func run() -> Int32 {
  let deadline = MonotonicClock.now() + patience
  let log = Log(level: .info, prefix: "vtcp")
  do throws(HookCallError) {
    let call = try HookCall(arguments: Array(CommandLine.arguments.dropFirst()))
    let input = StandardInput.read(by: deadline)
    guard let operation = call.known, operation.concernsService else { return 0 }
    guard let sentence = HookRequest(call, input, deadline: deadline).complaint() else { return 0 }
    // The word "error" would come twice in what virsh prints.
    log.info(sentence)
    return operation.canRefuse ? 1 : 0
  } catch {
    log.info("\(error)")
    return 2
  }
}

Process.exit(run())
