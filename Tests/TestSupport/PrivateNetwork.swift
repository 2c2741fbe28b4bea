// SPDX-License-Identifier: Apache-2.0
import CTestSupport
import Glibc

/// A network namespace for one test: a thread that has left ours. The namespace and every interface in it go with the
/// thread and what it opened, however the test ends.
public enum PrivateNetwork {
  public struct Failure: Error, CustomStringConvertible {
    public let description: String

    public init(description: String) {
      self.description = description
    }
  }

  /// Tests of interfaces are for root, and for kernels with TUN.
  public static let isAvailable = geteuid() == 0 && access("/dev/net/tun", R_OK | W_OK) == 0

  private final class Job {
    let body: () throws -> Void
    var result: Result<Void, any Error> = .failure(Failure(description: "the thread did not run"))

    init(_ body: @escaping () throws -> Void) {
      self.body = body
    }

    func run() {
      result = Result {
        guard test_new_network() >= 0 else { throw Failure(description: "no network namespace") }
        // A virtual interface queues what it receives per processor: a sender that is moved to another one overtakes
        // itself, and no test of order could tell that from a fault of ours.
        guard test_stay_on_processor() >= 0 else { throw Failure(description: "not kept on one processor") }
        // Otherwise the interfaces would greet each other with router solicitations.
        try command("echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6 2>/dev/null || true")
        try command("ip link set lo up")
        try body()
      }
    }
  }

  /// Runs `body` in a new network. It throws what it finds wrong: expectations are this task's, not that thread's.
  public static func run(_ body: @escaping () throws -> Void) throws {
    let job = Job(body)
    var thread = pthread_t()
    let created = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<Job>.fromOpaque(argument).takeUnretainedValue().run() }
        return nil
      }, Unmanaged.passUnretained(job).toOpaque())
    guard created == 0 else { throw Failure(description: "no thread") }
    pthread_join(thread, nil)
    try job.result.get()
  }

  /// A shell command in this thread's network.
  public static func command(_ line: String) throws {
    guard system(line) == 0 else { throw Failure(description: "failed: \(line)") }
  }

  /// The expectation of code that `run` runs.
  public static func demand(_ condition: Bool, _ what: @autoclosure () -> String, line: Int = #line) throws {
    guard condition else { throw Failure(description: "line \(line): \(what())") }
  }
}
