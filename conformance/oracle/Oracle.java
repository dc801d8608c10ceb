import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.output.BaselineResult;
import org.flywaydb.core.api.output.CleanResult;
import org.flywaydb.core.api.output.MigrateOutput;
import org.flywaydb.core.api.output.MigrateResult;
import org.flywaydb.core.api.output.RepairOutput;
import org.flywaydb.core.api.output.RepairResult;
import org.flywaydb.core.api.output.ValidateOutput;
import org.flywaydb.core.api.output.ValidateResult;
import org.flywaydb.core.internal.license.VersionPrinter;

/**
 * Runs Flyway commands. One line of input is one request: the command, a blank, and the settings as base64 of a Java
 * properties text. One line of output is the answer: fields separated by tabs, base64 each, so that any text survives.
 * The first field is the outcome; behind "refused" comes Flyway's error code, and behind the others one field for each
 * line of the result (conformance/answer.py says which).
 */
public class Oracle {
    private interface Command {
        List<String> run(Flyway flyway);
    }

    private static final Map<String, Command> COMMANDS = Map.of(
            "migrate", Oracle::migrate,
            "info", Oracle::info,
            "validate", Oracle::validate,
            "baseline", Oracle::baseline,
            "repair", Oracle::repair,
            "clean", Oracle::clean,
            "undo", Oracle::undo,
            "version", flyway -> List.of("ok", VersionPrinter.getVersion()));

    public static void main(String[] arguments) throws Exception {
        PrintStream answers = System.out;
        System.setOut(System.err);
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = requests.readLine()) != null; ) {
            String[] request = line.split(" ", 2);
            StringBuilder text = new StringBuilder();
            for (String field : answer(request[0], settings(request[1]))) {
                byte[] bytes = field.getBytes(StandardCharsets.UTF_8);
                text.append(Base64.getEncoder().encodeToString(bytes)).append('\t');
            }
            answers.println(text);
            answers.flush();
        }
    }

    private static Map<String, String> settings(String encoded) throws Exception {
        Properties properties = new Properties();
        properties.load(new StringReader(new String(Base64.getDecoder().decode(encoded), StandardCharsets.UTF_8)));
        Map<String, String> settings = new HashMap<>();
        properties.forEach((key, value) -> settings.put((String) key, (String) value));
        return settings;
    }

    private static List<String> answer(String command, Map<String, String> settings) {
        try {
            return COMMANDS.get(command).run(Flyway.configure().configuration(settings).load());
        } catch (FlywayException failure) {
            if (System.getenv("ORACLE_TRACE") != null) {
                failure.printStackTrace();
            }
            return List.of("refused", String.valueOf(failure.getErrorCode()));
        } catch (RuntimeException | Error fault) {
            fault.printStackTrace();
            return List.of("refused", "FAULT");
        }
    }

    private static List<String> migrate(Flyway flyway) {
        MigrateResult result = flyway.migrate();
        List<String> fields = fields(line(result.initialSchemaVersion, result.targetSchemaVersion));
        for (MigrateOutput one : result.migrations) {
            fields.add(line(one.category, one.version, one.description, one.type));
        }
        return fields;
    }

    private static List<String> info(Flyway flyway) {
        List<String> fields = fields();
        for (MigrationInfo one : flyway.info().all()) {
            fields.add(line(one.getVersion(), one.getDescription(), one.getType().name(),
                    one.getState().getDisplayName(), one.getChecksum()));
        }
        return fields;
    }

    private static List<String> validate(Flyway flyway) {
        ValidateResult result = flyway.validateWithResult();
        List<String> fields = fields(String.valueOf(result.validateCount));
        for (ValidateOutput one : result.invalidMigrations) {
            fields.add(line(one.version, one.description, one.errorDetails.errorCode));
        }
        if (result.invalidMigrations.isEmpty() && result.errorDetails != null) {
            fields.add(line(null, null, result.errorDetails.errorCode));
        }
        if (!result.validationSuccessful) {
            fields.set(0, "invalid");
            fields.remove(1);
        }
        return fields;
    }

    private static List<String> baseline(Flyway flyway) {
        BaselineResult result = flyway.baseline();
        return fields(line(result.baselineVersion));
    }

    private static List<String> repair(Flyway flyway) {
        RepairResult result = flyway.repair();
        List<String> fields = fields();
        addRepaired(fields, "removed", result.migrationsRemoved);
        addRepaired(fields, "deleted", result.migrationsDeleted);
        addRepaired(fields, "aligned", result.migrationsAligned);
        return fields;
    }

    private static void addRepaired(List<String> fields, String action, List<RepairOutput> migrations) {
        for (RepairOutput one : migrations) {
            fields.add(line(action, one.version, one.description));
        }
    }

    private static List<String> clean(Flyway flyway) {
        CleanResult result = flyway.clean();
        List<String> fields = fields();
        result.schemasCleaned.forEach(schema -> fields.add(line("cleaned", schema)));
        result.schemasDropped.forEach(schema -> fields.add(line("dropped", schema)));
        return fields;
    }

    /** The open-source edition refuses. */
    private static List<String> undo(Flyway flyway) {
        flyway.undo();
        return fields();
    }

    private static List<String> fields(String... lines) {
        List<String> fields = new ArrayList<>(List.of("ok"));
        fields.addAll(List.of(lines));
        return fields;
    }

    private static String line(Object... parts) {
        List<String> texts = new ArrayList<>();
        for (Object part : parts) {
            texts.add(Objects.toString(part, ""));
        }
        return String.join("|", texts);
    }
}
