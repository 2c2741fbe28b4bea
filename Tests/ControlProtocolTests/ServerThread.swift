// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Serves one connection in a thread of its own: what blocks would keep the few threads of tasks from those that it waits for.
final class ServerThread {
  private final class Job: @unchecked Sendable {
    let body: () throws -> [UInt8]
    var result: Result<[UInt8], any Error>?

    init(_ body: @escaping () throws -> [UInt8]) {
      self.body = body
    }
  }

  private struct NoThread: Error {}

  private let job: Job
  private var thread = pthread_t()

  init(_ body: @escaping () throws -> [UInt8]) throws {
    job = Job(body)
    let created = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        let job = Unmanaged<Job>.fromOpaque(argument).takeRetainedValue()
        job.result = Result { try job.body() }
        return nil
      }, Unmanaged.passRetained(job).toOpaque())
    guard created == 0 else { throw NoThread() }
  }

  /// What came of it.
  func join() throws -> [UInt8] {
    pthread_join(thread, nil)
    guard let result = job.result else { throw NoThread() }
    return try result.get()
  }
}
