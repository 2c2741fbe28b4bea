// SPDX-License-Identifier: Apache-2.0

/// Results of the shims that decide something here: -errno, the numbers of asm-generic/errno.h.
enum ErrorNumber {
  /// EPERM
  static let notPermitted = -1
  /// ENOENT
  static let noEntry = -2
  /// EIO: a TAP that is down
  static let inputOutput = -5
  /// ENXIO: a packet socket whose interface was removed
  static let noDevice = -6
  /// EAGAIN
  static let again = -11
  /// ENOMEM
  static let outOfMemory = -12
  /// EACCES
  static let accessDenied = -13
  /// EFAULT: guest memory that is not there any more
  static let badAddress = -14
  /// EBUSY
  static let busy = -16
  /// ENODEV
  static let noSuchDevice = -19
  /// EINVAL
  static let invalid = -22
  /// EPIPE
  static let brokenPipe = -32
  /// EBADFD: a TAP descriptor whose interface was removed
  static let badState = -77
  /// EMSGSIZE
  static let messageTooLong = -90
  /// ENETDOWN
  static let networkDown = -100
  /// ECONNRESET
  static let connectionReset = -104
  /// ENOBUFS
  static let noBuffers = -105
  /// ENOTCONN
  static let notConnected = -107
  /// ECONNREFUSED
  static let connectionRefused = -111
}
