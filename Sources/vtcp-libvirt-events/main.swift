// SPDX-License-Identifier: Apache-2.0

// vtcp-libvirt-events: tells vtcpd what libvirt's hooks don't: that a running domain's metadata have changed, and that a device was plugged in or out.
//
// The one program that links libvirt, whose libraries are many, and needs no privilege for it: a connection that only reads is enough. It has no
// state. libvirt's events say which domain, and vtcpd gets that domain's XML as it is by then; so events that come quickly after each
// other are one. Whenever a connection to libvirtd begins, all running domains count as changed: nothing is missed while it was down, or this
// program was. What vtcpd can't be told is told later (`ChangedDomains`).
//
// One thread: libvirt's own event loop, whose turns end with each event (`LibvirtLoop`).

import Polling

func run() -> Int32 {
  var log = Log(level: .info, prefix: "vtcp-libvirt-events")
  do throws(OptionsError) {
    let options = try Options(arguments: Array(CommandLine.arguments.dropFirst()))
    if options.asksHelp {
      Log.output(Options.help)
      return 0
    }
    log = Log(level: options.logLevel, prefix: "vtcp-libvirt-events")
    Watch(options, log).run()
  } catch {
    log.error("\(error)")
    return 2
  }
}

Process.exit(run())
