// SPDX-License-Identifier: Apache-2.0

// vtcpctl: the command line of vtcpd, and of a vtcp-nic without it. What it does is in the target Administration; here are its words.

Program.run(Array(CommandLine.arguments.dropFirst()))
