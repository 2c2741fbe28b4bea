// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService
import HostSystem
import PolicyLanguage
import Polling

/// The files of the policy, and those of its history.
struct PolicyFiles {
  /// As YAMLDocument reads them.
  private static let longest = 1 << 20
  private static let mostFiles = 256

  let paths: RunPaths
  /// Files, and directories of files.
  let places: [String]

  /// What the files say now; empty: there is none. Throws one sentence if one is there and can't be read.
  func sources() throws(ServiceError) -> [PolicySource] {
    var sources: [PolicySource] = []
    for place in places {
      do throws(SystemError) {
        sources.append(PolicySource(place, octets: try HostFile.read(place, limit: Self.longest)))
      } catch {
        switch error.code {
        case SystemError.noSuchFile: continue
        case SystemError.isDirectory: sources += try directory(place)
        default: throw Self.unreadable(place, error)
        }
      }
    }
    guard sources.count <= Self.mostFiles else {
      throw ServiceError(.mistaken, "the policy has \(sources.count) files, and may have \(Self.mostFiles)")
    }
    return sources
  }

  private func directory(_ place: String) throws(ServiceError) -> [PolicySource] {
    var sources: [PolicySource] = []
    var path = place
    do throws(SystemError) {
      for file in try HostFile.list(place) where file.hasSuffix(".yaml") {
        path = "\(place)/\(file)"
        sources.append(PolicySource(path, octets: try HostFile.read(path, limit: Self.longest)))
      }
    } catch {
      throw Self.unreadable(path, error)
    }
    return sources
  }

  private static func unreadable(_ path: String, _ error: SystemError) -> ServiceError {
    let hint =
      error.code == SystemError.tooLarge
      ? "; a file of the policy has at most 1 MiB"
      : error.code == SystemError.accessDenied ? "; vtcpd's user must be able to" : ""
    return ServiceError(.mistaken, "the policy can't be read: \(error)\(hint)")
  }
}
