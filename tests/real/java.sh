#!/bin/sh
# java.sh - a program compiled and run: threads, exceptions (null pointers are signals), class loading, zip, NIO, JNI
# libraries loaded by dlopen, the JIT and three collectors.
# Namespace only: in command form the system's own linker cannot start java, whose $ORIGIN it gets wrong.
. "$(dirname "$0")/lib.sh"
limit=300

work() {
    need javac java jar
    mkdir src classes
    cat >src/Main.java <<'END'
import java.io.*; import java.net.*; import java.nio.file.*; import java.security.*; import java.util.*;
import java.util.concurrent.*; import java.util.concurrent.atomic.*; import java.util.stream.*; import java.util.zip.*;
public class Main {
    static int depth(int n) { return depth(n + 1) + 1; }
    record Point(int x, int y) {}
    public static void main(String[] args) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(6);
        LongAdder adder = new LongAdder();
        List<Future<Integer>> futures = new ArrayList<>();
        for (int t = 0; t < 24; t++) { final int step = t; futures.add(pool.submit(() -> {
            int caught = 0;
            for (int i = 0; i < 2000; i++) {
                adder.add(step);
                try { Object o = i % 2 == 0 ? null : "x"; o.toString(); } catch (NullPointerException e) { caught++; }
                try { int[] a = new int[1]; a[i % 3 + 1] = i; } catch (ArrayIndexOutOfBoundsException e) { caught++; }
                try { caught += 1 / (i % 2); } catch (ArithmeticException e) { caught++; }
            }
            return caught; })); }
        int total = 0; for (Future<Integer> f : futures) total += f.get();
        pool.shutdown();
        System.out.println("threads " + adder.sum() + " caught " + total);
        try { depth(0); } catch (StackOverflowError e) { System.out.println("stack overflow caught"); }
        try { byte[][] hold = new byte[4096][]; for (int i = 0; i < hold.length; i++) hold[i] = new byte[1 << 20]; System.out.println(hold.length); }
        catch (OutOfMemoryError e) { System.out.println("out of memory caught"); }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) { gzip.write(new byte[100000]); }
        System.out.println("gzip " + new GZIPInputStream(new ByteArrayInputStream(bytes.toByteArray())).readAllBytes().length);
        System.out.println("sha " + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest("abc".getBytes())).substring(0, 16));
        KeyPairGenerator keys = KeyPairGenerator.getInstance("EC"); keys.initialize(256); KeyPair pair = keys.generateKeyPair();
        Signature signature = Signature.getInstance("SHA256withECDSA"); signature.initSign(pair.getPrivate()); signature.update(new byte[9]);
        byte[] signed = signature.sign(); signature.initVerify(pair.getPublic()); signature.update(new byte[9]);
        System.out.println("signed " + signature.verify(signed));
        try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            Thread client = new Thread(() -> { try (Socket s = new Socket(server.getInetAddress(), server.getLocalPort())) { s.getOutputStream().write("over tcp\n".getBytes()); } catch (IOException e) { e.printStackTrace(); } });
            client.start();
            try (Socket s = server.accept()) { System.out.println(new BufferedReader(new InputStreamReader(s.getInputStream())).readLine()); }
            client.join();
        }
        System.out.println(IntStream.range(0, 1_000_000).parallel().mapToLong(i -> (long) i * i % 7).sum());
        System.out.println(Stream.of(new Point(1, 2), new Point(0, 5)).sorted(Comparator.comparing(Point::x)).map(Object::toString).collect(Collectors.joining(" ")));
        Process child = new ProcessBuilder("sh", "-c", "echo from a child; exit 3").redirectErrorStream(true).start();
        System.out.println(new String(child.getInputStream().readAllBytes()).trim() + " " + child.waitFor());
        Path file = Files.createTempFile("x", "y"); Files.writeString(file, "line\n".repeat(1000)); System.out.println(Files.lines(file).count()); Files.delete(file);
        System.out.println(String.format(Locale.GERMANY, "%,.2f %tB", 12345.678, new GregorianCalendar(2020, 0, 1)));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("shutdown hook")));
        if (args.length > 0) throw new IllegalStateException(args[0]);
        System.exit(5);
    }
}
END
    javac -d classes src/Main.java || exit 1
    jar cfe main.jar Main -C classes . || exit 1
    for options in "-Xmx256m" "-Xmx256m -XX:+UseSerialGC -Xint" "-Xmx300m -XX:+UseParallelGC -XX:TieredStopAtLevel=1"; do
        # shellcheck disable=SC2086 # options
        java -Xshare:auto $options -jar main.jar
        echo "status $?"
    done
    java -Xmx256m -jar main.jar thrown 2>&1 | grep -v '^	at java'
    java -Xmx64m -XshowSettings:vm -version 2>&1 | grep -v -i time
    java -XshowSettings:properties -version 2>&1 | grep -E 'java.home|library.path'
}
compare
