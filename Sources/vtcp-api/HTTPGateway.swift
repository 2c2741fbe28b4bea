// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import FlyingFox
import Foundation
import Timekeeping

/// HTTP for vtcpd.
///
/// ## Theory of operation
///
/// Each request of HTTP becomes one at vtcpd's control socket, with the same method, path and body, and the answer goes back with the same
/// status and body: what there is, and what it means, is vtcpd's affair, and described by `openapi.yaml`, which this program serves as well.
/// HTTP is read by a library, in a process that can do nothing but ask vtcpd (docs/decisions/0031). Who may ask is decided by the rights of
/// the Unix socket, or by a token over TCP; who may change something, by vtcpd, from the user that this process runs as.
///
/// A request waits for vtcpd in a thread of its own, so many of them at the most as `Congestion` allows; others are answered 503.
struct HTTPGateway: HTTPHandler {
  /// A NIC that is busy takes some seconds to be told of a policy.
  private static let patience = Interval.seconds(60)
  /// Octets of a body that are read at the most, if only to be refused.
  private static let mostRead = 16 * ControlLimits.body

  let client: ControlClient
  /// Nil: who could connect may ask.
  let token: Token?
  let congestion: Congestion

  init(controlSocket: String, token: Token?, congestion: Congestion) {
    client = ControlClient(path: controlSocket, patience: Self.patience)
    self.token = token
    self.congestion = congestion
  }

  static var documentText: String { String(decoding: PackageResources.openapi_yaml, as: UTF8.self) }

  func handleRequest(_ request: HTTPRequest) async throws -> HTTPResponse {
    if let token, !token.admits(request.headers[.authorization]) {
      return failed(
        401, "say who you are: Authorization: Bearer TOKEN, with the token of --token-file",
        [HTTPHeader("WWW-Authenticate"): "Bearer"])
    }
    guard let method = ControlMethod(rawValue: request.method.rawValue) else {
      return failed(405, "there are GET, PUT, POST and DELETE", [HTTPHeader("Allow"): "GET, PUT, POST, DELETE"])
    }
    let path: ControlPath
    do throws(ControlProtocolError) { path = try ControlPath(parsing: request.target.rawValue) } catch {
      return failed(400, "\(error)")
    }
    if method == .get, path.segments == ["v1", "openapi.yaml"] {
      return HTTPResponse(
        statusCode: .ok, headers: [.contentType: "application/yaml"], body: Data(PackageResources.openapi_yaml))
    }
    guard let body = try await body(of: request) else {
      return failed(413, "a body has at most \(ControlLimits.body) octets")
    }
    guard congestion.enter() else { return failed(503, "too many requests are under way; try again") }
    defer { congestion.leave() }
    if method == .get, path.segments == ["v1", "events"] { return await events(path, request) }
    return await answer(method, path, body)
  }

  /// Nil: it is too long.
  private func body(of request: HTTPRequest) async throws -> [UInt8]? {
    // What is too long is read as well, or the caller would not get to the answer; what is far too long ends the connection.
    if let count = request.bodySequence.count, count > Self.mostRead { throw CancellationError() }
    var octets: [UInt8] = []
    var count = 0
    for try await piece in request.bodySequence {
      count += piece.count
      guard count <= Self.mostRead else { throw CancellationError() }
      if count <= ControlLimits.body { octets += piece }
    }
    return count <= ControlLimits.body ? octets : nil
  }

  private func answer(_ method: ControlMethod, _ path: ControlPath, _ body: [UInt8]) async -> HTTPResponse {
    let result = await waiting { [client] () throws(ControlClientError) in try client.ask(method, path, body: body) }
    switch result {
    case .success(let answer): return response(answer)
    case .failure(let error): return failed(503, Self.sentence(error))
    }
  }

  private func events(_ path: ControlPath, _ request: HTTPRequest) async -> HTTPResponse {
    let isSSE = request.headers[HTTPHeader("Accept")]?.contains("text/event-stream") == true
    let result = await withCheckedContinuation { continuation in
      EventLines.follow(isSSE: isSSE) { [client] () throws(ControlClientError) in
        let (stream, answer) = try client.follow(path)
        return (stream, answer)
      } ready: {
        continuation.resume(returning: $0)
      }
    }
    switch result {
    case .success((let lines?, _)):
      let type = isSSE ? "text/event-stream" : "application/x-ndjson"
      return HTTPResponse(
        statusCode: .ok, headers: [.contentType: type, HTTPHeader("Cache-Control"): "no-store"],
        body: HTTPBodySequence(from: lines))
    case .success((nil, let answer)): return response(answer)
    case .failure(let error): return failed(503, Self.sentence(error))
    }
  }

  private static func sentence(_ error: ControlClientError) -> String {
    error.isNotRunning ? "vtcpd does not run: \(error)" : "\(error)"
  }

  /// Does what blocks in a thread that may be blocked.
  private func waiting<Value: Sendable>(
    _ work: @escaping @Sendable () throws(ControlClientError) -> Value
  ) async -> Result<Value, ControlClientError> {
    await withCheckedContinuation { continuation in
      Thread.detachNewThread {
        do throws(ControlClientError) {
          continuation.resume(returning: .success(try work()))
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    }
  }

  private func response(_ answer: ControlAnswer) -> HTTPResponse {
    response(answer.status.rawValue, Data(answer.body), [:])
  }

  private func failed(_ status: Int, _ sentence: String, _ headers: [HTTPHeader: String] = [:]) -> HTTPResponse {
    response(status, Data("\(ControlFailure(sentence).json.text)\n".utf8), headers)
  }

  private func response(_ status: Int, _ body: Data, _ headers: [HTTPHeader: String]) -> HTTPResponse {
    var all = HTTPHeaders(headers)
    all[.contentType] = "application/json"
    // Answers are about now.
    all[HTTPHeader("Cache-Control")] = "no-store"
    return HTTPResponse(statusCode: HTTPStatusCode(status, phrase: Self.phrase(status)), headers: all, body: body)
  }

  /// RFC 9110, 15.
  private static func phrase(_ status: Int) -> String {
    switch status {
    case 200: "OK"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 409: "Conflict"
    case 413: "Content Too Large"
    case 503: "Service Unavailable"
    default: "Internal Server Error"
    }
  }
}
