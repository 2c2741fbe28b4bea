// SPDX-License-Identifier: Apache-2.0

/// How a network device numbers its queues (virtio 1.3, 5.1.2): receiveq1, transmitq1, receiveq2, ...
///
/// The control queue never reaches a vhost-user back-end; its front-end keeps it.
public enum NetworkQueues {
  public static func direction(ofQueue index: Int) -> BufferDirection {
    index % 2 == 0 ? .deviceWritable : .deviceReadable
  }
  public static func receive(pair: Int) -> Int { 2 * pair }
  public static func transmit(pair: Int) -> Int { 2 * pair + 1 }
  public static func pair(ofQueue index: Int) -> Int { index / 2 }
}
