print("vtcp-nic")
