// SPDX-License-Identifier: Apache-2.0

public import Memory
public import Polling

/// Keeps what a successor needs to go on with the connection to the front-end if this process is killed: what the front-end said in the
/// state memory, and its descriptors with a manager.
///
/// # Theory of operation
///
/// `begin` comes before the first octet of a message is taken from the socket, `settle` when the message was carried out and its reply was
/// sent. In between, and until the manager has taken all descriptors, the session is *changing*, and a successor that finds it so closes
/// the connection: nobody knows then what the front-end was told. Else it is whole, and a successor goes on (`BackEnd.resume`).
public final class SessionKeeper {
  /// Of everything that is to outlive us, the session's among others.
  public let descriptors: DescriptorKeeper
  private let section: SessionSection
  /// Names of the session's descriptors.
  private var names: Set<String> = []
  /// What lies in the section.
  private var written: Session?
  /// The manager has the descriptors that are kept now already.
  var isResuming = false

  /// Bytes of state memory that it takes.
  public static func byteCount(vringCount: Int) -> Int { SessionSection.byteCount(vringCount: vringCount) }

  public init(over memory: ByteRegion, vringCount: Int, descriptors: DescriptorKeeper) {
    precondition(memory.count >= Self.byteCount(vringCount: vringCount), "no room for a session")
    section = SessionSection(over: memory, vringCount: vringCount)
    self.descriptors = descriptors
  }

  /// Whether there is a session with which a successor could go on now.
  public var isWhole: Bool { section.state == .whole }

  /// Whether our predecessor was killed while its session changed.
  public var wasInterrupted: Bool { section.state == .changing }

  /// How often a process went on with the session of one that was killed, since the state memory is there.
  public var resumedCount: UInt64 { section.resumedCount }

  /// The session that our predecessor left; nil: none that can be believed.
  func session() -> Session? {
    guard section.state == .whole, let session = section.read() else { return nil }
    written = session
    return session
  }

  /// A message is about to be taken.
  public func begin() {
    guard section.state != .changing, descriptors.hasManager else { return }
    section.set(.changing)
  }

  /// A message, or several, were carried out. `session`: what was said so far; nil: no successor could go on with it.
  func settle(_ session: Session?) {
    guard descriptors.hasManager else { return forgetSession() }
    guard let session else { return section.set(.changing) }
    if session != written {
      section.set(.changing)
      section.write(session)
      written = session
    }
    section.set(descriptors.flush() ? .whole : .changing)
    // The manager may have gone.
    if !descriptors.hasManager { forgetSession() }
  }

  func countResumption() { section.countResumption() }

  func keep(_ descriptor: OwnedDescriptor?, as name: String) {
    if descriptor == nil { names.remove(name) } else { names.insert(name) }
    guard let descriptor, isResuming else { return descriptors.keep(descriptor, as: name) }
    descriptors.adopt(descriptor, as: name)
  }

  /// There is no session any more, or what was left of one is not to be believed.
  public func end() {
    forgetSession()
    for name in names.sorted() { descriptors.keep(nil, as: name) }
    names = []
    descriptors.flush()
  }

  private func forgetSession() {
    written = nil
    if section.state != .none { section.set(.none) }
  }
}
