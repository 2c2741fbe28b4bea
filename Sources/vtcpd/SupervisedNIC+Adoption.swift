// SPDX-License-Identifier: Apache-2.0

import ControlProtocol
import HostService
import HostSystem
import Polling
import Timekeeping

extension SupervisedNIC {
  /// A NIC that has many connections to tell of gives everything in a moment; one that hangs does not.
  private static let adoptionPatience = Interval.seconds(10)

  /// It was there before us, or so we believe: asks it to give everything into our keeping. If it is not there, it is started.
  func adopt() {
    enter(.adopting)
    policy.recall(paths.policy(name))
    do throws(SystemError) {
      let (listener, sender) = try NotifyListener.pair()
      keeper = listener
      keeperWatch = try environment.loop.watch(listener.rawValue, .readable) { [weak self] _ in self?.takeMessages() }
      control.ask(Array("keeper\n".utf8), descriptors: [sender]) { [weak self] in self?.adopted($0) }
    } catch {
      fail("NIC \(name): \(error)")
    }
  }

  private func adopted(_ result: Result<NICAnswer, NICControl.Failure>) {
    guard case .adopting = phase else { return }
    switch result {
    case .success(let answer) where answer.isGood:
      timer = environment.loop.after(Self.adoptionPatience) { [weak self] in
        self?.leaveUnwatched("it does not give us what it works with")
      }
    case .success(let answer): leaveUnwatched("it refuses to be kept: \(answer.text)")
    case .failure(.unreachable(let error)) where Self.meansGone(error): startInstead()
    case .failure(let failure): leaveUnwatched("\(failure)")
    }
  }

  private static func meansGone(_ error: SystemError) -> Bool {
    error.code == SystemError.noSuchFile || error.code == SystemError.connectionRefused
  }

  private func startInstead() {
    keeper = nil
    keeperWatch = nil
    do throws(ServiceError) {
      try prepare()
      start()
    } catch {
      fail(error.failure.sentence)
    }
  }

  /// The first message tells, by the kernel's word, which process it is.
  func watchAdopted(_ sender: Int32) {
    do throws(SystemError) {
      let process = try HostProcess(existing: sender)
      self.process = process
      processWatch = try environment.loop.watch(process.rawValue, .readable) { [weak self] _ in self?.ended() }
      starts += 1
      plan.wasStarted(now: MonotonicClock.now())
      tell("nic-found", "process \(sender) runs since before this service")
    } catch {
      environment.log.error("NIC \(name): \(error)")
    }
  }

  /// It goes on as it is; only what happens when it dies is not ours to say. It is asked again.
  private func leaveUnwatched(_ why: String) {
    guard case .adopting = phase else { return }
    keeperWatch = nil
    keeper = nil
    processWatch = nil
    process = nil
    store.removeAll()
    let sentence = "NIC \(name) runs, and is not watched: \(why)"
    environment.log.error(sentence)
    tell("nic-unwatched", why)
    enter(.unwatched(sentence))
    timer = environment.loop.after(.seconds(10)) { [weak self] in self?.adopt() }
  }
}
