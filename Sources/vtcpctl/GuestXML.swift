// SPDX-License-Identifier: Apache-2.0

import Administration
import DomainXML

/// The XML of a guest: of a file, or as libvirt has it.
enum GuestXML {
  /// As libvirt has it.
  static func ofGuest(_ name: String, connection: String) throws(AdministrationError) -> [UInt8] {
    try Virsh.output(["-c", connection, "dumpxml", name])
  }

  /// Mistakes in the name of where the text is from.
  static func reading(_ text: [UInt8], _ name: String) throws(AdministrationError) -> DomainReading {
    do throws(DomainMistake) { return try DomainReading(parsing: text) } catch { throw .failed("\(name):\(error)") }
  }

  static func rewriting(
    _ text: [UInt8], _ name: String, folder: String, _ adoption: DomainRewriter.Adoption
  ) throws(AdministrationError) -> DomainRewriting {
    do throws(DomainMistake) {
      return try DomainRewriter.rewrite(text, folder: folder, adopting: adoption)
    } catch {
      throw .failed("\(name):\(error)")
    }
  }
}
