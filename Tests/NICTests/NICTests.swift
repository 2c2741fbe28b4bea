// SPDX-License-Identifier: Apache-2.0
import Testing

/// The program `vtcp-nic` from outside: a mock QEMU, a mock guest and a mock network around the real process.
///
/// One after another, since each test has processes and deadlines of its own.
@Suite(.serialized) enum NICTests {}
