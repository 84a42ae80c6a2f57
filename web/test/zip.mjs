import { crc32 } from "node:zlib";

// zip returns an archive of one file, stored without compression.
export function zip(name, text) {
  const file = Buffer.from(name);
  const body = Buffer.from(text);
  const common = Buffer.alloc(26); // what the local and the central header share
  common.writeUInt16LE(20, 0); // version 2.0 needed
  common.writeUInt16LE(0x21, 8); // 1980-01-01
  common.writeUInt32LE(crc32(body), 10);
  common.writeUInt32LE(body.length, 14);
  common.writeUInt32LE(body.length, 18);
  common.writeUInt16LE(file.length, 22);

  const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, file, body]);
  const central = Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"), common, Buffer.alloc(14), file]);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06");
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}
