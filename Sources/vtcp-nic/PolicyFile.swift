// SPDX-License-Identifier: Apache-2.0

import Memory
import Polling
import TCPPolicy

/// The file of `--policy`: which connections get which configuration (docs/policy.md).
enum PolicyFile {
  /// More is no policy: 1024 rules are some hundred KiB.
  static let mostBytes = 1 << 20

  /// What it says; nil: there is none, and all connections get what `--vtcp` says.
  ///
  /// - Parameter fallback: of connections that the file does not speak of.
  static func classifier(_ options: Options, fallback: FlowConfiguration) throws(OptionsError) -> Classifier? {
    guard let path = options.policyFile else { return nil }
    let text = try text(path, option: "--policy")
    do throws(PolicyTextErrors) {
      return try Classifier(parsing: text, fallback: fallback)
    } catch {
      // As compilers say it, so that editors find the place.
      let lines = error.errors.map { "\(path):\($0)" }
      throw OptionsError("--policy: nothing was started\n" + lines.joined(separator: "\n"))
    }
  }

  /// - Parameter option: what to call it where something is wrong.
  static func text(_ path: String, option: String) throws(OptionsError) -> String {
    do throws(SystemError) {
      let file = try NamedFile.open(path: path, followsLinks: true)
      guard try SharedMemory.size(of: file.rawValue) <= mostBytes else {
        throw SystemError(call: "read \(path)", code: SystemError.tooLarge)
      }
      return String(decoding: try bytes(file.rawValue, path), as: UTF8.self)
    } catch {
      throw OptionsError("\(option): \(error)\(hint(error))")
    }
  }

  private static func bytes(_ file: Int32, _ path: String) throws(SystemError) -> [UInt8] {
    let room = ByteRegion.allocate(count: 65_536)
    defer { room.deallocate() }
    var bytes: [UInt8] = []
    while bytes.count <= mostBytes {
      switch ByteStream.read(file, into: room) {
      case .bytes(let count): bytes += room.slice(from: 0, count: count).bytes
      case .end: return bytes
      case .failed(let error): throw error
      case .wouldBlock: continue
      }
    }
    // It grows while we read.
    throw SystemError(call: "read \(path)", code: SystemError.tooLarge)
  }

  private static func hint(_ error: SystemError) -> String {
    switch error.code {
    case SystemError.noSuchFile: "; give the path of a file with rules, docs/policy.md says how they are written"
    case SystemError.tooLarge: "; a policy has at most 1 MiB"
    case SystemError.notSupported: "; give the path of a regular file"
    default: ""
    }
  }
}
