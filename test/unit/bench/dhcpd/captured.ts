// What perfdhcp 2.2 printed, captured: on Kea with a lease file unless said otherwise. Lists of
// leases are cut to three.

/** More than the server can. */
export const OVERLOADED = `\
Running: perfdhcp -4 -l relay0 -p 5 -g multi -r 15000 -R 4000000 -b mac=00:0c:57:02:03:04 \
-u 10.0.0.1
Scenario: basic.
Multi-thread mode enabled.
***Rate statistics***
Rate: 12073.3 4-way exchanges/second, expected rate: 15000

***Malformed Packets***
Malformed packets: 0
***Statistics for: DISCOVER-OFFER***
sent packets: 74973
received packets: 61437
drops: 13536
drops ratio: 18.0545 %
orphans: 0
rejected leases: 0
non unique addresses: 0

min delay: 0.089 ms
avg delay: 5.341 ms
max delay: 11.342 ms
std deviation: 2.039 ms
collected packets: 3299

***Statistics for: REQUEST-ACK***
sent packets: 61437
received packets: 60485
drops: 952
drops ratio: 1.550 %
orphans: 0
rejected leases: 0
non unique addresses: 0

min delay: 0.063 ms
avg delay: 4.254 ms
max delay: 12.492 ms
std deviation: 1.922 ms
collected packets: 147

`;

/** With renewals, releases and lists of leases. */
export const RENEWING = `\
Running: perfdhcp -4 -l relay0 -p 5 -r 1000 -f 500 -F 100 -R 1000000 -x l 10.0.0.1
Scenario: basic.
Multi-thread mode enabled.
***Rate statistics***
Rate: 999.673 4-way exchanges/second, expected rate: 1000

***Malformed Packets***
Malformed packets: 0
***Statistics for: DISCOVER-OFFER***
sent packets: 4999
received packets: 4999
drops: 0
drops ratio: 0 %
orphans: 0
rejected leases: 0
non unique addresses: 0

min delay: 0.045 ms
avg delay: 0.203 ms
max delay: 7.822 ms
std deviation: 0.348 ms
collected packets: 0

***Statistics for: REQUEST-ACK***
sent packets: 4999
received packets: 4999
drops: 0
drops ratio: 0.000 %
orphans: 2498
rejected leases: 0
non unique addresses: 0

min delay: 0.047 ms
avg delay: 0.159 ms
max delay: 8.081 ms
std deviation: 0.215 ms
collected packets: 0

***Statistics for: REQUEST-ACK (renewal)***
sent packets: 2498
received packets: 2498
drops: 0
drops ratio: 0.000 %
orphans: 0
rejected leases: 0
non unique addresses: 0

min delay: 0.054 ms
avg delay: 0.237 ms
max delay: 7.050 ms
std deviation: 0.357 ms
collected packets: 0

***Statistics for: RELEASE***
sent packets: 498
received packets: 0
drops: 498
drops ratio: 100.000 %
orphans: 0
rejected leases: 0
non unique addresses: 0

min delay: inf ms
avg delay: min delay: n/a
avg delay: n/a
max delay: n/a
std deviation: n/a
collected packets: 0

***Leases for DISCOVER-OFFER***
client_id,adrress,prefix
01000c01020304,10.16.0.0,
01000c01020305,10.16.0.1,
01000c01020306,10.16.0.2,


***Leases for REQUEST-ACK***
client_id,adrress,prefix
01000c01020304,10.16.0.0,
01000c01020305,10.16.0.1,
01000c01020306,10.16.0.2,


***Leases for REQUEST-ACK (renewal)***
client_id,adrress,prefix
01000c01020304,10.16.0.0,
01000c01020307,10.16.0.3,
01000c01020308,10.16.0.4,


***Leases for RELEASE***
client_id,adrress,prefix


`;

/** A hundred clients, and each comes back again and again. */
export const TWICE = `\
Running: perfdhcp -4 -l relay0 -p 5 -r 1000 -R 100 -u 10.0.0.1
Scenario: basic.
Multi-thread mode enabled.
***Rate statistics***
Rate: 999.598 4-way exchanges/second, expected rate: 1000

***Malformed Packets***
Malformed packets: 0
***Statistics for: DISCOVER-OFFER***
sent packets: 4999
received packets: 4999
drops: 0
drops ratio: 0 %
orphans: 0
rejected leases: 0
non unique addresses: 4899

min delay: 0.025 ms
avg delay: 0.248 ms
max delay: 6.594 ms
std deviation: 0.539 ms
collected packets: 0

***Statistics for: REQUEST-ACK***
sent packets: 4999
received packets: 4999
drops: 0
drops ratio: 0.000 %
orphans: 0
rejected leases: 0
non unique addresses: 4899

min delay: 0.041 ms
avg delay: 0.204 ms
max delay: 4.549 ms
std deviation: 0.384 ms
collected packets: 0

`;

/** Nobody answers. */
export const SILENT = `\
Running: perfdhcp -4 -l 10.0.0.4 -g single -r 1000 -p 2 -R 100000 -u 10.0.0.3
Scenario: basic.
WARNING: Currently system can run more than 1 thread in parallel.
WARNING: Better results are achieved when run in multi-threaded mode.
WARNING: To switch use -g multi option.
***Rate statistics***
Rate: 0 4-way exchanges/second, expected rate: 1000

***Malformed Packets***
Malformed packets: 0
***Statistics for: DISCOVER-OFFER***
sent packets: 1999
received packets: 0
drops: 1999
drops ratio: 100 %
orphans: 0
rejected leases: 0
non unique addresses: 0

min delay: inf ms
avg delay: min delay: n/a
avg delay: n/a
max delay: n/a
std deviation: n/a
collected packets: 0

***Statistics for: REQUEST-ACK***
sent packets: 0
received packets: 0
drops: 0
drops ratio: -nan %
orphans: 0
rejected leases: 0
non unique addresses: 0

min delay: inf ms
avg delay: min delay: n/a
avg delay: n/a
max delay: n/a
std deviation: n/a
collected packets: 0

`;
