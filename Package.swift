// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

/// Set by `Scripts/fuzz`: everything is built with the instrumentation that libFuzzer needs, and its program is there.
let isFuzzing = Context.environment["VTCP_FUZZ"] != nil
let coverage: [SwiftSetting] = isFuzzing ? [.unsafeFlags(["-sanitize=fuzzer"])] : []

/// Every target: language mode 6, explicit existentials, imports that are not re-exported, warnings as errors.
let common: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

/// Targets on the packet path: dynamic exclusivity checks are off in optimised builds (docs/decisions/0003).
let datapath: [SwiftSetting] =
  common + coverage + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

/// Reads of memory that peers write are told to tests (`ReadProbe`), but never in a release build.
let probe: [SwiftSetting] =
  isFuzzing ? [.define("VTCP_READ_PROBE")] : [.define("VTCP_READ_PROBE", .when(configuration: .debug))]

/// What `Scripts/fuzz` runs. Without it there would be no `LLVMFuzzerRunDriver` to link with.
let fuzzer: [Target] =
  isFuzzing
  ? [
    .executableTarget(
      name: "vtcp-fuzz", dependencies: ["FuzzTargets", "Memory", "Polling"], path: "Tests/Fuzzing/Program",
      swiftSettings: common)
  ] : []

let package = Package(
  name: "vtcp",
  products: [
    .executable(name: "vtcp-nic", targets: ["vtcp-nic"])
  ],
  targets: [
    // Lowest layer: nothing of ours below.
    .target(
      name: "CLinux",
      cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"] + (isFuzzing ? ["-fsanitize=fuzzer-no-link"] : []))]),
    .target(name: "Timekeeping", swiftSettings: datapath),
    .target(name: "Memory", dependencies: ["CLinux"], swiftSettings: datapath + probe),
    .target(name: "Arena", dependencies: ["Memory", "Timekeeping"], swiftSettings: datapath),
    .target(name: "Wire", dependencies: ["Memory"], swiftSettings: datapath),
    // Packets and what is done to them. Pure.
    .target(name: "Packets", dependencies: ["Memory", "Wire"], swiftSettings: datapath),
    .target(name: "LargeSend", dependencies: ["Memory", "Packets", "Wire"], swiftSettings: datapath),
    .target(
      name: "CongestionControl", dependencies: ["Timekeeping"], swiftSettings: datapath,
      // CUBIC counts in floating point.
      linkerSettings: [.linkedLibrary("m")]),
    .target(
      name: "LossRecovery", dependencies: ["Arena", "CongestionControl", "Memory", "Timekeeping", "Wire"],
      swiftSettings: datapath),
    .target(name: "Impairment", dependencies: ["Memory", "Timekeeping", "Wire"], swiftSettings: common),
    .target(name: "TCPPolicy", dependencies: ["CongestionControl", "Timekeeping", "Wire"], swiftSettings: datapath),
    .target(name: "Monitoring", dependencies: ["Memory", "Timekeeping"], swiftSettings: datapath),
    .target(
      name: "VTCP",
      dependencies: [
        "Arena", "CongestionControl", "LossRecovery", "Memory", "Monitoring", "Packets", "TCPPolicy", "Timekeeping",
        "Wire",
      ],
      swiftSettings: datapath),
    // The system and the device.
    .target(name: "Polling", dependencies: ["CLinux", "Memory", "Timekeeping"], swiftSettings: datapath),
    .target(name: "Virtio", dependencies: ["CLinux", "Memory"], swiftSettings: datapath),
    .target(name: "VhostUser", dependencies: ["Arena", "Memory", "Polling", "Virtio"], swiftSettings: datapath),
    .target(
      name: "Uplinks", dependencies: ["CLinux", "Memory", "Packets", "Polling", "Wire"], swiftSettings: datapath),
    .target(
      name: "Datapath",
      dependencies: [
        "Arena", "CLinux", "LargeSend", "Memory", "Packets", "Polling", "Timekeeping", "Uplinks", "VTCP", "VhostUser",
        "Wire",
      ],
      swiftSettings: datapath),
    // What the program may do and see. The only thing here that is not ours is libcap-ng (docs/decisions/0013).
    .systemLibrary(name: "CCapNG", pkgConfig: "libcap-ng", providers: [.apt(["libcap-ng-dev", "pkg-config"])]),
    .target(name: "CSandbox", dependencies: ["CCapNG"], cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
    .target(name: "Sandbox", dependencies: ["CSandbox", "Polling"], swiftSettings: common),
    .executableTarget(
      name: "vtcp-nic",
      dependencies: [
        "Arena", "Datapath", "LargeSend", "Memory", "Monitoring", "Polling", "Sandbox", "TCPPolicy", "Timekeeping",
        "Uplinks",
        "VTCP", "VhostUser",
        "Wire",
      ],
      swiftSettings: common),
    // A tool for tests with real kernels.
    .executableTarget(
      name: "vtcp-relay",
      dependencies: [
        "CLinux", "Impairment", "LargeSend", "Memory", "Packets", "Polling", "Timekeeping", "Uplinks", "Wire",
      ],
      swiftSettings: common),
    // Measurements.
    .target(name: "CCounting", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
    .target(name: "CBench", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
    .executableTarget(
      name: "vtcp-bench",
      dependencies: [
        "Arena", "CBench", "CCounting", "CLinux", "CongestionControl", "Datapath", "Memory", "Monitoring", "Packets",
        "Polling",
        "TCPPolicy", "Timekeeping", "Uplinks", "VTCP", "VhostUser", "Virtio", "Wire",
      ],
      swiftSettings: datapath, linkerSettings: [.linkedLibrary("m")]),
    // Tests.
    .target(
      name: "CTestSupport", path: "Tests/CTestSupport", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
    .target(name: "TestSupport", dependencies: ["CTestSupport"], path: "Tests/TestSupport", swiftSettings: common),
    .testTarget(name: "TestSupportTests", dependencies: ["TestSupport"], swiftSettings: common),
    .testTarget(
      name: "NICTests", dependencies: ["CTestSupport", "FrameSupport", "TestSupport"], swiftSettings: common),
    .testTarget(name: "MemoryTests", dependencies: ["Memory"], swiftSettings: common),
    .target(name: "FrameSupport", dependencies: ["Memory", "Wire"], path: "Tests/FrameSupport", swiftSettings: common),
    .testTarget(name: "WireTests", dependencies: ["FrameSupport", "Memory", "Wire"], swiftSettings: common),
    .testTarget(
      name: "LargeSendTests", dependencies: ["FrameSupport", "LargeSend", "Memory", "Packets", "Wire"],
      swiftSettings: common),
    .target(
      name: "Simulation",
      dependencies: [
        "CongestionControl", "FrameSupport", "Memory", "Monitoring", "Packets", "TCPPolicy", "Timekeeping", "VTCP",
        "Wire",
      ],
      path: "Tests/Simulation", swiftSettings: datapath),
    .executableTarget(
      name: "vtcp-simulate", dependencies: ["Simulation"], path: "Tests/SimulationProgram", swiftSettings: common),
    .testTarget(
      name: "VTCPTests",
      dependencies: [
        "CongestionControl", "FrameSupport", "Memory", "Monitoring", "Packets", "Simulation", "TCPPolicy",
        "Timekeeping",
        "VTCP", "Wire",
      ],
      swiftSettings: common),
    .testTarget(
      name: "CongestionControlTests", dependencies: ["CongestionControl", "FrameSupport", "Timekeeping"],
      swiftSettings: common),
    .testTarget(
      name: "LossRecoveryTests",
      dependencies: ["Arena", "CongestionControl", "FrameSupport", "LossRecovery", "Memory", "Timekeeping", "Wire"],
      swiftSettings: common),
    .testTarget(
      name: "TCPPolicyTests",
      dependencies: ["CongestionControl", "FrameSupport", "TCPPolicy", "Timekeeping", "Wire"], swiftSettings: common),
    .testTarget(
      name: "MonitoringTests", dependencies: ["FrameSupport", "Memory", "Monitoring", "Timekeeping"],
      swiftSettings: common),
    .testTarget(
      name: "PollingTests", dependencies: ["CLinux", "Memory", "Polling", "Timekeeping"], swiftSettings: common),
    .testTarget(
      name: "VirtioTests", dependencies: ["FrameSupport", "Memory", "Virtio"], swiftSettings: common),
    .testTarget(name: "PacketsTests", dependencies: ["Memory", "Packets"], swiftSettings: common),
    .testTarget(
      name: "ArenaTests", dependencies: ["Arena", "FrameSupport", "Memory", "Timekeeping"], swiftSettings: common),
    .testTarget(
      name: "ImpairmentTests", dependencies: ["FrameSupport", "Impairment", "Memory", "Timekeeping", "Wire"],
      swiftSettings: common),
    .testTarget(
      name: "DatapathTests",
      dependencies: [
        "Datapath", "FrameSupport", "LargeSend", "Memory", "Polling", "Timekeeping", "Uplinks", "Virtio",
        "Wire",
      ],
      swiftSettings: common),
    .testTarget(
      name: "UplinksTests",
      dependencies: [
        "CLinux", "FrameSupport", "Memory", "Packets", "Polling", "TestSupport", "Timekeeping", "Uplinks", "Wire",
      ],
      swiftSettings: common),
    // Fuzzing: the targets are a library, run by libFuzzer and replayed by a test.
    .target(
      name: "FuzzTargets",
      dependencies: [
        "Arena", "CLinux", "CongestionControl", "CTestSupport", "Datapath", "FrameSupport", "LargeSend", "Memory",
        "Packets",
        "Polling", "TCPPolicy", "Timekeeping", "Uplinks", "VhostUser", "Virtio", "VTCP", "Wire",
      ],
      path: "Tests/Fuzzing/Targets", swiftSettings: common),
    .testTarget(
      name: "FuzzingTests", dependencies: ["CTestSupport", "FuzzTargets", "Memory"], path: "Tests/Fuzzing/Replay",
      swiftSettings: common),
  ] + fuzzer,
  swiftLanguageModes: [.v6]
)
