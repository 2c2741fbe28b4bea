// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import FlyingSocks
import Foundation
import Timekeeping

/// The events of vtcpd as octets of an answer, as they come: of Server-Sent Events if the caller wants those, else lines of JSON.
struct EventLines: AsyncBufferedSequence {
  typealias Element = UInt8

  struct AsyncIterator: AsyncBufferedIteratorProtocol {
    private var lines: AsyncThrowingStream<[UInt8], any Error>.Iterator
    private var pending: ArraySlice<UInt8> = []

    fileprivate init(_ lines: AsyncThrowingStream<[UInt8], any Error>) {
      self.lines = lines.makeAsyncIterator()
    }

    mutating func next() async throws -> UInt8? { try await nextBuffer(suggested: 1)?.first }

    mutating func nextBuffer(suggested count: Int) async throws -> ArraySlice<UInt8>? {
      if pending.isEmpty {
        guard let line = try await lines.next() else { return nil }
        pending = line[...]
      }
      let piece = pending.prefix(Swift.max(count, 1))
      pending = pending.dropFirst(piece.count)
      return piece
    }
  }

  /// Lines that wait for a caller who does not read; then he has missed some, and it ends.
  private static let longestQueue = 1024

  private let lines: AsyncThrowingStream<[UInt8], any Error>

  /// - Parameters:
  ///   - isSSE: for browsers (`text/event-stream`).
  ///   - begin: how vtcpd is asked, in the thread that reads what it says from then on.
  ///   - ready: gets the octets, or the answer that came instead.
  static func follow(
    isSSE: Bool, _ begin: @escaping @Sendable () throws(ControlClientError) -> (ControlStream?, ControlAnswer),
    ready: @escaping @Sendable (Result<(EventLines?, ControlAnswer), ControlClientError>) -> Void
  ) {
    Thread.detachNewThread {
      do throws(ControlClientError) {
        let (stream, answer) = try begin()
        guard let stream else { return ready(.success((nil, answer))) }
        let ending = Ending()
        let (lines, continuation) = AsyncThrowingStream<[UInt8], any Error>.makeStream(
          bufferingPolicy: .bufferingOldest(longestQueue))
        continuation.onTermination = { _ in ending.begin() }
        ready(.success((EventLines(lines: lines), answer)))
        while !ending.hasBegun, let octets = next(stream, isSSE: isSSE) {
          guard case .enqueued = continuation.yield(octets) else { break }
        }
        continuation.finish()
      } catch {
        ready(.failure(error))
      }
    }
  }

  /// What to send next, within a second; nil: vtcpd has ended the stream.
  private static func next(_ stream: ControlStream, isSSE: Bool) -> [UInt8]? {
    do throws(ControlClientError) {
      guard let line = try stream.next(patience: .seconds(1)) else { return nil }
      return Array((isSSE ? "data: \(line)\n\n" : line + "\n").utf8)
    } catch {
      guard case .timedOut = error else { return nil }
      // Only who is written to is found to have gone.
      return Array((isSSE ? ":\n\n" : "\n").utf8)
    }
  }

  func makeAsyncIterator() -> AsyncIterator { AsyncIterator(lines) }
}
