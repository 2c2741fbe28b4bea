// SPDX-License-Identifier: Apache-2.0

public import Timekeeping
import Polling

/// Lines that come as things happen, until vtcpd or the reader ends it.
public final class ControlStream {
  private let exchange: ControlExchange

  init(_ exchange: ControlExchange) {
    self.exchange = exchange
  }

  /// The next line, without its newline; nil: it is over.
  ///
  /// - Parameter patience: how long to wait, or `ControlClientError.timedOut`; nil: for ever.
  public func next(patience: Interval? = nil) throws(ControlClientError) -> String? {
    let limit = patience.map { MonotonicClock.now() + $0 }
    return try exchange.nextLine(until: limit).map { String(decoding: $0, as: UTF8.self) }
  }
}
