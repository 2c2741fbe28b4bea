// SPDX-License-Identifier: Apache-2.0

import Administration
import ArgumentParser
import ControlProtocol

struct QEMUArgumentsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "qemu-args", abstract: "What QEMU is to be started with so that a guest has the NIC.",
    discussion: "For example: qemu-system-x86_64 ... $(vtcpctl qemu-args web1-0 --memory 2G)")

  @Argument(help: "The NIC's name.")
  var nic: String?

  @Option(help: ArgumentHelp("The vhost-user socket, of a vtcp-nic without vtcpd.", valueName: "path"))
  var socketPath: String?

  @Option(help: ArgumentHelp("The guest's memory, as -m has it.", valueName: "size"))
  var memory = "1G"

  @Option(help: ArgumentHelp("Queue pairs; without it, as many as the NIC has.", valueName: "n"))
  var queues: Int?

  @Option(help: ArgumentHelp("The MAC address.", valueName: "address"))
  var mac: String?

  @OptionGroup var places: Places

  func run() throws {
    var arguments = QEMUArguments(memory: memory)
    if let socketPath {
      arguments.socketPath = socketPath
    } else if let nic {
      let told = try places.service.ask(.get, ["nics", nic])
      guard let path = told["socket"]?.string else {
        throw AdministrationError.failed("vtcpd does not say where the socket of \(nic) is")
      }
      arguments.socketPath = path
      arguments.queuePairs = told["queues"]?.integer ?? 1
      arguments.macAddress = told["mac"]?.string
    } else {
      throw AdministrationError.usage("say which NIC, or give the vhost-user socket by --socket-path")
    }
    if let queues { arguments.queuePairs = queues }
    if let mac { arguments.macAddress = mac }
    let words = try arguments.words()
    try Terminal.lines([
      places.json ? JSONValue.array(words.map { .string($0) }).text : words.joined(separator: " ")
    ])
  }
}
