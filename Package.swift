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

/// Set by who builds no more than the NICs and their tests: no package is fetched then, and nothing is there that needs one.
let isForNICsOnly = isFuzzing || Context.environment["VTCP_NIC_ONLY"] != nil

/// What alone takes packages of others: the administrator's command line, and HTTP for vtcpd (docs/decisions/0030, 0031).
let tools: [Target] =
  isForNICsOnly
  ? []
  : [
    .executableTarget(
      name: "vtcpctl",
      dependencies: [
        "Administration", "Capture", "ControlProtocol", "DomainXML", "Memory", "Polling", "Timekeeping",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: common),
    .executableTarget(
      name: "vtcp-api",
      dependencies: [
        "ControlProtocol", "Polling", "Timekeeping",
        .product(name: "FlyingFox", package: "FlyingFox"), .product(name: "FlyingSocks", package: "FlyingFox"),
      ],
      resources: [.embedInCode("openapi.yaml")],
      swiftSettings: common),
  ]

let package = Package(
  name: "vtcp",
  products: [
    .executable(name: "vtcp-nic", targets: ["vtcp-nic"]),
    .executable(name: "vtcp-libvirt-hook", targets: ["vtcp-libvirt-hook"]),
    .executable(name: "vtcp-libvirt-events", targets: ["vtcp-libvirt-events"]),
    .executable(name: "vtcpd", targets: ["vtcpd"]),
  ]
    + (isForNICsOnly
      ? []
      : [.executable(name: "vtcpctl", targets: ["vtcpctl"]), .executable(name: "vtcp-api", targets: ["vtcp-api"])]),
  dependencies: isForNICsOnly
    ? []
    : [
      .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
      .package(url: "https://github.com/swhitty/FlyingFox", exact: "0.27.1"),
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
    // Policies as administrators write them. Of what is not ours, libyaml (docs/decisions/0027).
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev", "pkg-config"])]),
    .target(
      name: "CYAMLEvents", dependencies: ["CYAML"],
      cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"] + (isFuzzing ? ["-fsanitize=fuzzer-no-link"] : []))]),
    .target(name: "YAMLDocument", dependencies: ["CYAMLEvents"], swiftSettings: common + coverage),
    .target(
      name: "PolicyLanguage", dependencies: ["TCPPolicy", "Timekeeping", "Wire", "YAMLDocument"],
      swiftSettings: common + coverage),
    .target(name: "Monitoring", dependencies: ["Memory", "Timekeeping"], swiftSettings: datapath),
    .target(
      name: "VTCP",
      dependencies: [
        "Arena", "CongestionControl", "LossRecovery", "Memory", "Monitoring", "Packets", "TCPPolicy", "Timekeeping",
        "Wire",
      ],
      swiftSettings: datapath),
    .target(name: "Capture", dependencies: ["Memory", "Packets", "Timekeeping", "Wire"], swiftSettings: datapath),
    // The system and the device.
    .target(name: "Polling", dependencies: ["CLinux", "Memory", "Timekeeping"], swiftSettings: datapath),
    .target(name: "ControlProtocol", dependencies: ["Memory", "Polling", "Timekeeping"], swiftSettings: common),
    .target(name: "Virtio", dependencies: ["CLinux", "Memory"], swiftSettings: datapath),
    .target(name: "VhostUser", dependencies: ["Arena", "Memory", "Polling", "Virtio"], swiftSettings: datapath),
    .target(
      name: "Uplinks", dependencies: ["CLinux", "Memory", "Packets", "Polling", "Wire"], swiftSettings: datapath),
    .target(
      name: "Datapath",
      dependencies: [
        "Arena", "CLinux", "Capture", "LargeSend", "Memory", "Monitoring", "Packets", "Polling", "Timekeeping",
        "Uplinks", "VTCP", "VhostUser", "Wire",
      ],
      swiftSettings: datapath),
    // What the program may do and see. The only thing here that is not ours is libcap-ng (docs/decisions/0013).
    .systemLibrary(name: "CCapNG", pkgConfig: "libcap-ng", providers: [.apt(["libcap-ng-dev", "pkg-config"])]),
    .target(name: "CSandbox", dependencies: ["CCapNG"], cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
    .target(name: "Sandbox", dependencies: ["CSandbox", "Polling"], swiftSettings: common),
    .executableTarget(
      name: "vtcp-nic",
      dependencies: [
        "Arena", "Capture", "Datapath", "LargeSend", "Memory", "Monitoring", "Polling", "Sandbox", "TCPPolicy",
        "Timekeeping", "Uplinks",
        "VTCP", "VhostUser",
        "Wire",
      ],
      swiftSettings: common),
    // libvirt (docs/decisions/0029). The hook reads XML by expat; only the program of the events links libvirt.
    .systemLibrary(name: "CExpat", pkgConfig: "expat", providers: [.apt(["libexpat1-dev", "pkg-config"])]),
    .target(name: "DomainXML", dependencies: ["CExpat", "TCPPolicy", "Wire"], swiftSettings: common + coverage),
    .target(name: "LibvirtHooks", dependencies: ["DomainXML", "Wire"], swiftSettings: common),
    .executableTarget(
      name: "vtcp-libvirt-hook",
      dependencies: ["ControlProtocol", "DomainXML", "LibvirtHooks", "Memory", "Polling", "Timekeeping"],
      swiftSettings: common),
    .systemLibrary(name: "CLibvirt", pkgConfig: "libvirt", providers: [.apt(["libvirt-dev", "pkg-config"])]),
    .executableTarget(
      name: "vtcp-libvirt-events",
      dependencies: ["CLibvirt", "ControlProtocol", "DomainXML", "Memory", "Polling", "Timekeeping"],
      // An optimiser's pass does not come to its end on this one (Swift 6.3.1); it waits for events, and has nothing to be fast at.
      swiftSettings: common + [.unsafeFlags(["-Onone"], .when(configuration: .release))]),
    // The host service: one process that supervises the others (docs/host-service.md).
    .target(
      name: "CHost", dependencies: ["CCapNG"], cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
    .target(
      name: "HostSystem", dependencies: ["CHost", "CLinux", "Memory", "Polling", "Timekeeping"], swiftSettings: common),
    .target(
      name: "HostService",
      dependencies: [
        "ControlProtocol", "DomainXML", "LibvirtHooks", "PolicyLanguage", "TCPPolicy", "Timekeeping", "Wire",
        "YAMLDocument",
      ],
      swiftSettings: common),
    .executableTarget(
      name: "vtcpd",
      dependencies: [
        "ControlProtocol", "DomainXML", "HostService", "HostSystem", "LibvirtHooks", "Memory", "Monitoring",
        "PolicyLanguage", "Polling", "Sandbox", "TCPPolicy", "Timekeeping", "Uplinks", "Wire", "YAMLDocument",
      ],
      swiftSettings: common),
    // What an administrator's command line does.
    .target(
      name: "Administration",
      dependencies: [
        "Capture", "ControlProtocol", "Memory", "Monitoring", "Polling", "TCPPolicy", "Timekeeping", "Wire",
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
    .testTarget(name: "YAMLDocumentTests", dependencies: ["FrameSupport", "YAMLDocument"], swiftSettings: common),
    .testTarget(
      name: "PolicyLanguageTests",
      dependencies: ["FrameSupport", "PolicyLanguage", "TCPPolicy", "Timekeeping", "Wire", "YAMLDocument"],
      exclude: ["Malformed", "Compiled"], swiftSettings: common),
    .testTarget(
      name: "MonitoringTests", dependencies: ["FrameSupport", "Memory", "Monitoring", "Timekeeping"],
      swiftSettings: common),
    .testTarget(
      name: "AdministrationTests", dependencies: ["Administration", "Capture", "ControlProtocol", "FrameSupport"],
      swiftSettings: common),
    .testTarget(
      name: "CaptureTests", dependencies: ["Capture", "FrameSupport", "Memory", "Packets", "Timekeeping", "Wire"],
      swiftSettings: common),
    .testTarget(
      name: "PollingTests", dependencies: ["CLinux", "Memory", "Polling", "Timekeeping"], swiftSettings: common),
    .testTarget(
      name: "ControlProtocolTests", dependencies: ["ControlProtocol", "Memory", "Polling", "Timekeeping"],
      swiftSettings: common),
    .testTarget(
      name: "VhostUserTests", dependencies: ["Memory", "Polling", "VhostUser", "Virtio"], exclude: ["Traces"],
      swiftSettings: common),
    .testTarget(
      name: "HostSystemTests", dependencies: ["HostSystem", "Memory", "Polling", "Timekeeping"], swiftSettings: common),
    .testTarget(
      name: "HostServiceTests",
      dependencies: ["ControlProtocol", "DomainXML", "HostService", "LibvirtHooks", "PolicyLanguage", "Timekeeping"],
      swiftSettings: common),
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
    .testTarget(name: "DomainXMLTests", dependencies: ["DomainXML", "FrameSupport", "Wire"], swiftSettings: common),
    .testTarget(
      name: "LibvirtHooksTests", dependencies: ["DomainXML", "LibvirtHooks", "Wire"],
      swiftSettings: common),
    // Fuzzing: the targets are a library, run by libFuzzer and replayed by a test.
    .target(
      name: "FuzzTargets",
      dependencies: [
        "Arena", "CLinux", "CongestionControl", "ControlProtocol", "CTestSupport", "Datapath", "DomainXML",
        "FrameSupport", "HostService", "LargeSend", "Memory", "Packets", "PolicyLanguage", "Polling", "TCPPolicy",
        "Timekeeping", "Uplinks", "VhostUser", "Virtio",
        "VTCP", "Wire", "YAMLDocument",
      ],
      path: "Tests/Fuzzing/Targets", swiftSettings: common),
    .testTarget(
      name: "FuzzingTests", dependencies: ["CTestSupport", "FuzzTargets", "Memory"], path: "Tests/Fuzzing/Replay",
      swiftSettings: common),
  ] + fuzzer + tools,
  swiftLanguageModes: [.v6]
)

// Set for the thread sanitizer: the tests that have threads in one process with code of ours, and what those need. No program of the datapath has a
// second thread; the others would take most of the time.
if Context.environment["VTCP_THREADS_ONLY"] != nil {
  var needed: Set = ["ControlProtocolTests", "MonitoringTests", "PollingTests", "TestSupportTests", "VirtioTests"]
  var waiting = Array(needed)
  while let name = waiting.popLast(), let target = package.targets.first(where: { $0.name == name }) {
    for case .byNameItem(let dependency, _) in target.dependencies where needed.insert(dependency).inserted {
      waiting.append(dependency)
    }
  }
  package.products.removeAll()
  package.targets.removeAll { !needed.contains($0.name) }
}
