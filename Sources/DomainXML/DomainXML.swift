// SPDX-License-Identifier: Apache-2.0

// What libvirt says of a domain, as far as its virtual NICs and their policy go: the XML that hooks get on standard input, that `virsh dumpxml`
// prints and that administrators write (docs/libvirt.md).
//
// 1. `XMLTree` reads the octets with expat into elements with places. It takes UTF-8 and no document type, so that there are no entities but the
//    five of XML itself and nothing outside the text; size, depth, elements and attributes are bounded (`XMLLimits`).
// 2. `Domain.read` picks from the elements what concerns us. It goes on after a mistake, so that all are told at once; what libvirt has
//    checked itself is not checked a second time, beyond what we calculate with.
// 3. `DomainRewriter` puts what a NIC of ours needs into a text, and leaves every other octet as it is.
//
// Everything else of a domain, and the metadata of others, is passed over.

/// Names of the XML.
enum DomainNames {
  /// The namespace of our metadata; its last part is the version of the format (packaging/libvirt/policy.rng).
  static let policyNamespace = "https://vtcp.example/libvirt/1"
  /// Of `qemu:override`.
  static let qemuNamespace = "http://libvirt.org/schemas/domain/qemu/1.0"
}
