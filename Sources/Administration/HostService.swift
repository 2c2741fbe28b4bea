// SPDX-License-Identifier: Apache-2.0

public import ControlProtocol
public import Timekeeping

/// vtcpd, as it is asked.
public struct HostService: Sendable {
  private let client: ControlClient

  public var path: String { client.path }

  public init(path: String = ControlClient.defaultPath, patience: Interval = .seconds(60)) {
    client = ControlClient(path: path, patience: patience)
  }

  /// The JSON that it answers with.
  ///
  /// - Parameter segments: behind `/v1`.
  public func ask(
    _ method: ControlMethod, _ segments: [String], _ parameters: [(String, String)] = [], body: [UInt8] = []
  ) throws(AdministrationError) -> JSONValue {
    let octets = try text(method, segments, parameters, body: body)
    do throws(ControlProtocolError) { return try JSONValue(parsing: octets) } catch {
      throw .failed("vtcpd's answer can't be understood: \(error)")
    }
  }

  /// The octets that it answers with.
  public func text(
    _ method: ControlMethod, _ segments: [String], _ parameters: [(String, String)] = [], body: [UInt8] = []
  ) throws(AdministrationError) -> [UInt8] {
    let about = Self.path(segments, parameters)
    let answer: ControlAnswer
    do throws(ControlClientError) { answer = try client.ask(method, about, body: body) } catch { throw told(error) }
    guard let failure = answer.failure else { return answer.body }
    throw .failed("\(failure)")
  }

  /// What happens, line by line.
  public func events(_ parameters: [(String, String)] = []) throws(AdministrationError) -> ControlStream {
    do throws(ControlClientError) {
      let (stream, answer) = try client.follow(Self.path(["events"], parameters))
      if let stream { return stream }
      throw ControlClientError.broken(answer.failure?.description ?? "one answer where a stream was asked for")
    } catch {
      throw told(error)
    }
  }

  /// The next line of a stream; nil: it is over.
  public func next(of stream: ControlStream) throws(AdministrationError) -> String? {
    do throws(ControlClientError) { return try stream.next() } catch { throw told(error) }
  }

  private static func path(_ segments: [String], _ parameters: [(String, String)]) -> ControlPath {
    ControlPath(["v1"] + segments, parameters: parameters.map { ControlPath.Parameter($0.0, $0.1) })
  }

  private func told(_ error: ControlClientError) -> AdministrationError {
    guard error.isNotRunning else { return .failed("vtcpd: \(error)") }
    return .notRunning(
      "vtcpd does not run, or listens elsewhere than on \(path) (\(error)); start it (systemctl start vtcpd), or say where it "
        + "listens by --socket; of a vtcp-nic without it, by --nic-control and --stats-file")
  }
}
